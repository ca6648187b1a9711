import lucene, { type LuceneGroup, type LuceneNode, type LuceneRange, type LuceneTerm } from 'lucene';
import type { Filter, FilterNode } from '../ast.ts';
import { formatFilter } from '../canonical.ts';
import { FilterError } from '../filter-error.ts';
import { globParts, literalOf } from '../glob.ts';
import { all, and, not, or } from '../normal-form.ts';
import { conditionOf, literalValue, type ClauseValue, type TextBound } from './condition.ts';
import { Scanner, type Clause } from './scan.ts';

export const maxFilterLength = 4096;

export type FilterResult =
  | { ok: true; filter: Filter }
  | {
      ok: false;
      /** `position` is an offset in the text, in UTF-16 units, from 0 to its length. */
      error: { code: 'bad-filter'; message: string; position: number };
    };

/** Reads a filter (README.md defines the language). Never throws; the empty text and `*` match every event. */
export function parseFilter(text: string): FilterResult {
  try {
    const ast = parse(text);
    const canonical = formatFilter(ast);
    if (canonical !== text) checkSize(canonical);
    return { ok: true, filter: { ast, canonical } };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { ok: false, error: { code: 'bad-filter', message: error.message, position: error.position } };
  }
}

function parse(text: string): FilterNode {
  if (text.length > maxFilterLength) {
    throw new FilterError(`a filter has at most ${maxFilterLength} characters`, maxFilterLength);
  }
  // Engines end texts at U+0000 or use it as a separator.
  const nul = text.indexOf('\0');
  if (nul >= 0) throw new FilterError('U+0000 cannot be searched for', nul);
  const scanned = new Scanner(text).scan();
  if (scanned.text === '') return all;
  return readGroup(parseLucene(scanned.text), 'message', scanned.clauses.values());
}

function parseLucene(text: string): LuceneNode {
  try {
    return lucene.parse(text);
  } catch {
    // As far as fuzzing can tell, the scanner passes nothing that the parser refuses; should it happen, the sender of the filter still gets
    // an error.
    throw new FilterError('this is not the syntax of a filter', 0);
  }
}

/** The canonical text can be longer than the filter, and must be within the limits because it is parsed again. */
function checkSize(canonical: string): void {
  try {
    if (canonical.length <= maxFilterLength) new Scanner(canonical).scan();
    else throw new FilterError('', 0);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new FilterError('this filter is too large: its canonical form exceeds the limits', 0);
  }
}

interface Item {
  operator: 'AND' | 'OR';
  node: FilterNode;
}

/** The parser nests `a AND b OR c` to the right, whatever the operators. The chain is flattened and the precedence applied here. */
function readGroup(group: LuceneNode, field: string, clauses: Iterator<Clause>): FilterNode {
  if (!('left' in group)) return readNode(group, field, clauses);
  const items: Item[] = [];
  let operator = group.start ?? '';
  let rest: LuceneNode | undefined = group;
  while (rest !== undefined) {
    // A parenthesised right side is one operand; a bare one is the rest of the chain.
    const isChain: boolean = 'left' in rest && (rest === group || rest.parenthesized !== true);
    const operand: LuceneNode = isChain ? (rest as LuceneGroup).left : rest;
    const node = readNode(operand, field, clauses);
    items.push({
      operator: operator.startsWith('OR') || operator === '||' ? 'OR' : 'AND',
      node: operator.endsWith('NOT') ? not(node) : node,
    });
    const next: LuceneGroup | undefined = isChain ? (rest as LuceneGroup) : undefined;
    operator = next?.operator ?? '';
    rest = next?.right;
  }
  const alternatives: FilterNode[][] = [];
  for (const { operator, node } of items) {
    if (operator === 'OR' || alternatives.length === 0) alternatives.push([node]);
    else alternatives.at(-1)!.push(node);
  }
  return or(alternatives.map(and));
}

function readNode(node: LuceneNode, outerField: string, clauses: Iterator<Clause>): FilterNode {
  const isImplicit = node.field === undefined || node.field === '<implicit>';
  if ('left' in node) {
    // The position of a group's field is that of its first clause, near enough for a message about it.
    return readGroup(node, isImplicit ? outerField : (node.field ?? outerField), clauses);
  }
  const clause = clauses.next().value as Clause;
  const value = valueOf(node, clause);
  const name = isImplicit ? outerField : node.field;
  const parts = globParts(name);
  const field = literalOf(parts);
  if (field !== undefined) return conditionOf(field, value);
  if (name === '*' && value.type === 'glob' && value.glob === '*') return all;
  throw new FilterError('a field name takes no wildcards', clause.position);
}

function valueOf(node: LuceneTerm | LuceneRange, clause: Clause): ClauseValue {
  const position = clause.valuePosition;
  if ('term_min' in node) {
    const min = boundOf(node.term_min, node.inclusive === 'both' || node.inclusive === 'left', position);
    const max = boundOf(
      node.term_max,
      node.inclusive === 'both' || node.inclusive === 'right',
      clause.maxPosition,
    );
    return { type: 'range', position, ...(min && { min }), ...(max && { max }) };
  }
  if (clause.comparison !== undefined) {
    const bound = boundOf(node.term, clause.comparison.endsWith('='), position);
    if (bound === undefined) throw new FilterError('a comparison needs a value', position);
    return {
      type: 'range',
      position,
      ...(clause.comparison.startsWith('>') ? { min: bound } : { max: bound }),
    };
  }
  if (node.quoted) return literalValue(node.term.replaceAll(/\\(.)/gs, '$1'), position);
  return { type: 'glob', glob: node.term, position };
}

/** The end of a range; undefined for `*`, the open end. */
function boundOf(text: string, inclusive: boolean, position: number): TextBound | undefined {
  if (text === '*') return undefined;
  const value = literalOf(globParts(text));
  if (value === undefined) throw new FilterError('the end of a range takes no wildcards', position);
  return { value, inclusive, position };
}
