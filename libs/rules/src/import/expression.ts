/** A filter while it is made: clauses of the filter language, and how they are combined. */
export type Expression =
  | { type: 'all' }
  | { type: 'none' }
  | { type: 'clause'; field: string; value: string }
  /** A filter that somebody wrote. */
  | { type: 'filter'; text: string }
  | { type: 'not'; child: Expression }
  | { type: 'and' | 'or'; children: readonly Expression[] };

export const everything: Expression = { type: 'all' };
export const nothing: Expression = { type: 'none' };

export function not(child: Expression): Expression {
  if (child.type === 'not') return child.child;
  if (child.type === 'all') return nothing;
  return child.type === 'none' ? everything : { type: 'not', child };
}

export function and(children: readonly Expression[]): Expression {
  return combine('and', children, everything, nothing);
}

export function or(children: readonly Expression[]): Expression {
  return combine('or', children, nothing, everything);
}

/** `neutral` changes nothing in the combination, and `absorbing` is its result. */
function combine(
  type: 'and' | 'or',
  children: readonly Expression[],
  neutral: Expression,
  absorbing: Expression,
): Expression {
  const kept = children
    .flatMap((child) => (child.type === type ? child.children : [child]))
    .filter((child) => child.type !== neutral.type);
  if (kept.some((child) => child.type === absorbing.type)) return absorbing;
  if (kept.length === 0) return neutral;
  return kept.length === 1 ? kept[0]! : { type, children: kept };
}

/** The expression as a filter. */
export function formatExpression(expression: Expression): string {
  switch (expression.type) {
    case 'all':
      return '*';
    case 'none':
      return 'NOT *';
    case 'clause':
      return `${expression.field}:${expression.value}`;
    case 'filter':
      return expression.text;
    case 'not':
      return `NOT ${formatInner(expression.child)}`;
    case 'and':
      return expression.children.map(formatInner).join(' AND ');
    case 'or':
      return formatAlternatives(expression.children);
  }
}

function formatInner(expression: Expression): string {
  const { type } = expression;
  const isWhole =
    type === 'and' ||
    (type === 'or' && !isOneField(expression.children)) ||
    (type === 'filter' && /\s/.test(expression.text));
  return !isWhole ? formatExpression(expression) : `(${formatExpression(expression)})`;
}

/** Values of one field are a list behind its name. */
function formatAlternatives(children: readonly Expression[]): string {
  if (!isOneField(children)) return children.map(formatInner).join(' OR ');
  return `${children[0]!.field}:(${children.map(({ value }) => value).join(' OR ')})`;
}

function isOneField(
  children: readonly Expression[],
): children is readonly (Expression & { type: 'clause' })[] {
  const [first] = children;
  if (first?.type !== 'clause' || first.field === '_exists_') return false;
  return children.every((child) => child.type === 'clause' && child.field === first.field);
}
