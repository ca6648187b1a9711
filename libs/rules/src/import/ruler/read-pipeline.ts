import { and, everything, not, or, type Expression } from '../expression.ts';
import { Untranslatable, type Findings } from '../imported-rule.ts';
import { anyCharacters, patternsOfRegex, type RegexPatterns } from '../literal-regex.ts';
import { compareNumber, exists, joinParts, matchText, type TextPattern } from '../text-pattern.ts';
import { fieldNamed, lokiFields, type RuleMapping } from '../rule-mapping.ts';
import { flattened } from './flattened.ts';
import type { Syntax } from './syntax.ts';

/** Reads which lines a query is about, with what its stages call the fields. */
export class PipelineReader {
  readonly #mapping: RuleMapping;
  readonly #findings: Findings;
  /** Fields by the labels that a stage such as `json status="http.status"` makes. */
  readonly #extracted = new Map<string, string>();
  #parser: string | null = null;

  constructor(mapping: RuleMapping, findings: Findings) {
    this.#mapping = mapping;
    this.#findings = findings;
  }

  /** The field that a label is here. */
  field(label: string): string {
    if (label.startsWith('__')) throw new Untranslatable(`the label ${label}`);
    const extracted = this.#extracted.get(label);
    if (extracted !== undefined) return extracted;
    const name = fieldNamed(label, this.#mapping.fields, lokiFields);
    const isMapped = name !== label || Object.hasOwn(this.#mapping.fields, label);
    if (this.#parser === 'json' && !isMapped && label.includes('_'))
      this.#findings.differs(
        `${label} is a field of that name; of a nested one, such as ${label.replaceAll('_', '.')}, map it`,
      );
    return name;
  }

  /** The clauses of a selector such as `{app="shop"}`. */
  selector(node: Syntax): Expression[] {
    return node
      .all('Matchers')
      .flatMap((all) => matchers(all))
      .map((matcher) => this.#matcher(matcher));
  }

  /** The clauses of a stage. */
  stage(node: Syntax): Expression[] {
    const [stage] = node.children.filter(({ name }) => name !== 'Pipe');
    switch (stage?.name) {
      case 'LineFilters':
        return lineFilters(stage).map((filter) => this.#lineFilter(filter));
      case 'LabelFilter':
        return [this.labelFilter(stage)];
      case 'LabelParser':
        return this.#parse(stage.text);
      case 'LogfmtParser':
        return this.#parse('logfmt');
      case 'JsonExpressionParser':
      case 'LogfmtExpressionParser':
        return this.#extract(stage);
      case 'DropLabelsExpr':
      case 'KeepLabelsExpr':
      case 'DecolorizeExpr':
        return [];
      default:
        throw new Untranslatable(`the stage "${node.text}"`);
    }
  }

  labelFilter(node: Syntax): Expression {
    const { children } = node;
    const isOne = children.length === 1;
    if (!isOne) {
      const { operands, operators } = flattened(node, 'LabelFilter', ['And', 'Or']);
      // Loki's grammar lets `a, b or c` mean something else than `a and b or c`.
      if (operators.includes('') && operators.includes('Or'))
        throw new Untranslatable(`"${node.text}": put parentheses around its alternatives`);
      const groups: Expression[][] = [[]];
      for (const [i, operand] of operands.entries()) {
        if (operators[i - 1] === 'Or') groups.push([]);
        groups.at(-1)!.push(this.labelFilter(operand));
      }
      return or(groups.map(and));
    }
    const [only] = children;
    switch (only!.name) {
      case 'LabelFilter':
        return this.labelFilter(only!);
      case 'Matcher':
        return this.#matcher(only!);
      case 'NumberFilter':
        return this.#numberFilter(only!);
      default:
        throw new Untranslatable(
          `the filter "${node.text}": here times, sizes and networks are compared as they are written`,
        );
    }
  }

  #parse(text: string): Expression[] {
    if (text !== 'json' && text !== 'logfmt') throw new Untranslatable(`the stage "${text}"`);
    this.#parser = text;
    if (text === 'logfmt')
      this.#findings.differs('pairs of logfmt are fields only where the line was read as logfmt');
    return [];
  }

  #extract(stage: Syntax): Expression[] {
    if (stage.name.startsWith('Logfmt')) this.#parse('logfmt');
    for (const each of stage.all('LabelExtractionExpression')) {
      const [label, , path] = each.children;
      const place = (path ?? label)!;
      const written = path === undefined ? place.text : place.literal;
      const name = written.replaceAll(/\["([^"\]]+)"\]/g, '.$1').replace(/^\./, '');
      if (!/^[\w.-]+$/.test(name)) throw new Untranslatable(`the path ${written}`);
      this.#extracted.set(label!.text, fieldNamed(name, this.#mapping.fields, lokiFields));
    }
    return [];
  }

  #matcher(node: Syntax): Expression {
    const [label, operator, value] = node.children;
    if (label!.text === '__error__') {
      this.#findings.note('__error__ is left out: here a line that cannot be parsed has no fields');
      return everything;
    }
    const field = this.field(label!.text);
    const isRegex = operator!.name === 'Re' || operator!.name === 'Nre';
    const { patterns, isCased } = isRegex
      ? this.#regex(value!.literal, true)
      : { patterns: [[{ text: value!.literal }]], isCased: true };
    const found = or(patterns.map((pattern) => this.#value(field, pattern, isCased)));
    return operator!.name === 'Neq' || operator!.name === 'Nre' ? not(found) : found;
  }

  /** A missing label is an empty one. */
  #value(field: string, pattern: TextPattern, isCased: boolean): Expression {
    const parts = joinParts(pattern);
    if (parts.length === 0) return not(exists(field));
    if (parts.every((part) => part === 'any')) return everything;
    const isAnything =
      parts.every((part) => typeof part !== 'object') && parts.filter((part) => part === 'one').length === 1;
    return isAnything ? exists(field) : matchText(field, pattern, { isCased }, this.#findings);
  }

  #regex(regex: string, isWhole: boolean): RegexPatterns {
    const found = patternsOfRegex(regex, isWhole);
    if (!found.isExact) this.#findings.differs(anyCharacters(regex));
    return found;
  }

  #numberFilter(node: Syntax): Expression {
    const [label, operator, ...number] = node.children;
    const field = this.field(label!.text);
    const value = Number(number.map(({ text }) => text).join(''));
    if (operator!.name === 'Neq') return and([exists(field), not(compareNumber(field, '', value))]);
    const isEqual = operator!.name === 'Eql' || operator!.name === 'Eq';
    return compareNumber(field, isEqual ? '' : operator!.text, value);
  }

  #lineFilter(node: Syntax): Expression {
    const [operator] = node.child('Filter')!.children;
    if (node.child('FilterOp') !== undefined) throw new Untranslatable(`the line filter "${node.text}"`);
    this.#findings.differs('line filters look at the message, not at the whole line');
    const texts = node.all('String').map(({ literal }) => literal);
    const isRegex = operator!.name === 'PipeMatch' || operator!.name === 'Nre';
    if (!isRegex && operator!.name !== 'PipeExact' && operator!.name !== 'Neq')
      throw new Untranslatable(`the line filter "${node.text}"`);
    const found = or(
      texts.flatMap((text) => {
        const { patterns, isCased } = isRegex
          ? this.#regex(text, false)
          : { patterns: [['any', { text }, 'any'] as TextPattern], isCased: true };
        return patterns.map((pattern) => matchText('message', pattern, { isCased }, this.#findings));
      }),
    );
    return operator!.name === 'Neq' || operator!.name === 'Nre' ? not(found) : found;
  }
}

function matchers(node: Syntax): Syntax[] {
  return node.children.flatMap((child) => (child.name === 'Matcher' ? [child] : matchers(child)));
}

function lineFilters(node: Syntax): Syntax[] {
  return node.children.flatMap((child) => (child.name === 'LineFilter' ? [child] : lineFilters(child)));
}
