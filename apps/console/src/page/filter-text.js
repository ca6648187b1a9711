/** Composing filters (Lucene syntax) from values that were clicked. */

const reserved = new Set(['AND', 'OR', 'NOT', 'TO']);

/**
 * One term that matches exactly this value of a field.
 * @param {string} field e.g. `service` or `attributes.http.status`
 * @param {unknown} value
 */
export function filterTerm(field, value) {
  const name = field.replace(/[^\w.@-]/g, (character) => `\\${character}`);
  const text = String(value);
  const bare = /^\w+$/.test(text) && !reserved.has(text);
  return `${name}:${bare ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`}`;
}

/**
 * The filter narrowed by one more term; unchanged when the term is in it already.
 * @param {string} filter
 * @param {string} term
 */
export function narrowFilter(filter, term) {
  const before = filter.trim();
  if (before === '') return term;
  if (before.split(' AND ').includes(term)) return before;
  // AND binds tighter than OR, and than the space between two words; quoted or grouped text is one word here.
  const words = before.replace(/"(\\.|[^"\\])*"|\([^()]*\)|\[[^\]]*\]|\{[^}]*\}/g, '_').split(/\s+/);
  const loose = words.length > 1 && words.some((word, index) => index % 2 === 1 && word !== 'AND');
  return `${loose ? `(${before})` : before} AND ${term}`;
}

/**
 * The leaves of an event's attributes by dotted path, as the filter language names them.
 * @param {unknown} value
 * @param {string} [path]
 * @returns {[path: string, value: unknown][]}
 */
export function flattenAttributes(value, path = 'attributes') {
  if (value === null || typeof value !== 'object') return [[path, value]];
  if (Array.isArray(value)) {
    return value.every((item) => item === null || typeof item !== 'object')
      ? [[path, value]]
      : value.flatMap((item) => flattenAttributes(item, path));
  }
  return Object.entries(value).flatMap(([key, child]) => flattenAttributes(child, `${path}.${key}`));
}
