import { formatMicros, levels, type Level } from '@logloom/schemas';
import type { AttributeMatch, Bound, Condition, FilterNode, NumberField } from './ast.ts';
import { formatGlob, globParts } from './glob.ts';

/** The node as filter text, each meaning in one spelling: parentheses around every AND or OR that is inside another node. */
export function formatFilter(node: FilterNode): string {
  switch (node.type) {
    case 'all':
      return '*';
    case 'none':
      return 'NOT *';
    case 'not':
      return `NOT ${formatInner(node.child)}`;
    case 'and':
      return node.children.map(formatInner).join(' AND ');
    case 'or':
      return node.children.map(formatInner).join(' OR ');
    default:
      return formatCondition(node);
  }
}

function formatInner(node: FilterNode): string {
  return node.type === 'and' || node.type === 'or' ? `(${formatFilter(node)})` : formatFilter(node);
}

function formatCondition(condition: Condition): string {
  switch (condition.type) {
    case 'level':
      return `level:${formatLevels(condition.levels)}`;
    case 'keyword':
      return `${condition.field}:${formatMatch(condition.match)}`;
    case 'number':
      return `${condition.field}:${formatNumbers(condition.field, condition.min, condition.max)}`;
    case 'words': {
      const quotable = condition.words.every((word) => !/[*?]/.test(word));
      return quotable ? `message:"${condition.words.join(' ')}"` : `message:${condition.words.join('\\-')}`;
    }
    case 'attribute':
      return `attributes.${escapeText(condition.path)}:${formatMatch(condition.match)}`;
  }
}

/** Three or more neighbors become a range: a canonical text should not need many more clauses than the filter that it came from. */
function formatLevels(wanted: readonly Level[]): string {
  const runs: Level[][] = [];
  for (const level of wanted) {
    const run = runs.at(-1);
    if (run !== undefined && levels.indexOf(level) === levels.indexOf(run.at(-1)!) + 1) run.push(level);
    else runs.push([level]);
  }
  const texts = runs.flatMap((run) => (run.length > 2 ? [`[${run[0]!} TO ${run.at(-1)!}]`] : run));
  return texts.length === 1 ? texts[0]! : `(${texts.join(' OR ')})`;
}

function formatMatch(match: AttributeMatch): string {
  switch (match.type) {
    case 'exists':
      return '*';
    case 'equals':
      return quote(match.value);
    case 'matches':
      return formatGlob(globParts(match.glob), escapeText);
    case 'between':
      return formatRange(match.min, match.max, quote);
    case 'within':
      return formatRange(match.min, match.max, String);
  }
}

function formatNumbers(field: NumberField, min: number | undefined, max: number | undefined): string {
  const format = field === 'timestamp' ? (value: number) => quote(formatMicros(value)) : String;
  if (min !== undefined && min === max) return format(min);
  const bound = (value: number | undefined) => (value === undefined ? undefined : { value, inclusive: true });
  return formatRange(bound(min), bound(max), format);
}

function formatRange<T>(
  min: Bound<T> | undefined,
  max: Bound<T> | undefined,
  format: (value: T) => string,
): string {
  const from = min === undefined ? '[*' : `${min.inclusive ? '[' : '{'}${format(min.value)}`;
  const to = max === undefined ? '*]' : `${format(max.value)}${max.inclusive ? ']' : '}'}`;
  return `${from} TO ${to}`;
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function escapeText(text: string): string {
  return text.replaceAll(/[\s+\-!(){}[\]^"~*?:\\/&|<>=']/g, '\\$&');
}
