import { Untranslatable, type Findings } from '../imported-rule.ts';
import type { RuleMapping } from '../rule-mapping.ts';
import type { Grouping, Metric, RangeMetric } from './logql.ts';
import { prometheusDurationMs } from './prometheus-duration.ts';
import { PipelineReader } from './read-pipeline.ts';
import { parseLogql, type Syntax } from './syntax.ts';

/** How tightly operators bind, the loosest first; all but the power are left-associative. */
const precedence = [
  ['Or'],
  ['And', 'Unless'],
  ['Eql', 'Neq', 'Lte', 'Lss', 'Gte', 'Gtr'],
  ['Add', 'Sub'],
  ['Mul', 'Div', 'Mod'],
  ['Pow'],
];

/** Reads an expression of a rule. Throws Untranslatable. */
export function readMetric(source: string, mapping: RuleMapping, findings: Findings): Metric {
  const [expression] = parseLogql(source).all('Expr');
  const [metric] = expression?.children ?? [];
  if (metric?.name !== 'MetricExpr')
    throw new Untranslatable('its expression selects lines, and counts nothing');
  return new MetricReader(mapping, findings).read(metric);
}

class MetricReader {
  readonly #mapping: RuleMapping;
  readonly #findings: Findings;

  constructor(mapping: RuleMapping, findings: Findings) {
    this.#mapping = mapping;
    this.#findings = findings;
  }

  read(node: Syntax): Metric {
    const [inner] = node.children;
    switch (inner?.name) {
      case 'MetricExpr':
        return this.read(inner);
      case 'BinOpExpr':
        return this.#binary(inner);
      case 'LiteralExpr':
        return { type: 'number', value: Number(inner.text.replaceAll(/\s/g, '')) };
      case 'VectorExpr':
        return { type: 'vector', value: Number(inner.child('Number')?.text) };
      case 'VectorAggregationExpr':
        return this.#aggregate(inner);
      case 'RangeAggregationExpr':
        return this.#range(inner);
      default:
        throw new Untranslatable(`"${node.text}" in its expression`);
    }
  }

  #binary(node: Syntax): Metric {
    const operands: Syntax[] = [];
    const operators: { name: string; text: string }[] = [];
    const visit = (each: Syntax): void => {
      const [left, operator, modifier, right] = each.children;
      if (right === undefined) throw new Untranslatable(`"${each.text}" in its expression`);
      if (modifier!.text !== '')
        throw new Untranslatable(`"${modifier!.text}" between two parts of its expression`);
      for (const side of [left!, right]) {
        const metric = side.child('MetricExpr')!;
        const nested = metric.child('BinOpExpr');
        if (nested === undefined) operands.push(metric);
        else visit(nested);
        if (side === left) operators.push(operator!);
      }
    };
    visit(node);
    return associate(
      operands.map((operand) => this.read(operand)),
      operators,
    );
  }

  #aggregate(node: Syntax): Metric {
    const operation = node.child('VectorOp')!.text;
    if (node.child('Number') !== undefined) throw new Untranslatable(`${operation} in its expression`);
    const grouping = this.#grouping(
      node.child('Grouping'),
      new PipelineReader(this.#mapping, this.#findings),
    );
    return { type: 'aggregate', operation, grouping, of: this.read(node.child('MetricExpr')!) };
  }

  #range(node: Syntax): RangeMetric {
    const lines = node.child('LogRangeExpr');
    if (lines === undefined) throw new Untranslatable(`"${node.text}" in its expression`);
    const reader = new PipelineReader(this.#mapping, this.#findings);
    const clauses = [
      ...reader.selector(lines.child('Selector') ?? lines),
      ...lines.all('PipelineStage').flatMap((stage) => reader.stage(stage)),
    ];
    const unwrap = lines.child('UnwrapExpr');
    if (unwrap !== undefined)
      clauses.push(...unwrap.all('LabelFilter').map((filter) => reader.labelFilter(filter)));
    if (unwrap?.all('ConvOp').length)
      throw new Untranslatable(`"${unwrap.text}": here numbers have no units`);
    const [label] = unwrap === undefined ? [] : innermost(unwrap).filter(({ name }) => name === 'Identifier');
    const rangeMs = prometheusDurationMs(lines.all('Range')[0]?.all('Duration')[0]?.text ?? '');
    const offset = lines.child('OffsetExpr');
    const grouping = this.#grouping(node.child('Grouping'), reader);
    const parameter = node.child('Number');
    return {
      type: 'range',
      operation: node.child('RangeOp')!.text,
      parameter: parameter === undefined ? null : Number(parameter.text),
      clauses,
      unwrap: label === undefined ? null : reader.field(label.text),
      rangeMs,
      offsetMs: offset === undefined ? 0 : prometheusDurationMs(offset.text.replace(/^offset\s*/, '')),
      grouping,
    };
  }

  #grouping(node: Syntax | undefined, reader: PipelineReader): Grouping | null {
    if (node === undefined) return null;
    const fields = node.all('Identifier').map(({ text }) => reader.field(text));
    return { isWithout: node.child('Without') !== undefined, fields };
  }
}

/** The children of the innermost UnwrapExpr: filters behind it are around it. */
function innermost(node: Syntax): Syntax[] {
  const inner = node.child('UnwrapExpr');
  return inner === undefined ? node.children : innermost(inner);
}

/** Nests operands by precedence. */
function associate(
  operands: readonly Metric[],
  operators: readonly { name: string; text: string }[],
): Metric {
  for (const names of precedence) {
    const isRight = names[0] === 'Pow';
    const at = isRight
      ? operators.findIndex(({ name }) => names.includes(name))
      : operators.findLastIndex(({ name }) => names.includes(name));
    if (at < 0) continue;
    return {
      type: 'binary',
      operator: operators[at]!.text,
      left: associate(operands.slice(0, at + 1), operators.slice(0, at)),
      right: associate(operands.slice(at + 1), operators.slice(at + 1)),
    };
  }
  return operands[0]!;
}
