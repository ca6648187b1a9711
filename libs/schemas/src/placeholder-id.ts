/** What programs write where they have no id. */
const words: ReadonlySet<string> = new Set([
  '<nil>',
  '<none>',
  '<null>',
  '(nil)',
  '(none)',
  '(null)',
  'empty',
  'false',
  'n/a',
  'na',
  'nan',
  'nil',
  'none',
  'not-set',
  'null',
  'true',
  'undefined',
  'unknown',
  'unset',
]);
const longestWord = 9;

/** One character over and over, such as a nil UUID, an unset trace id, or an access log's `-`. */
const repeated = /^(?:[-_.*?]+|[0-]+|[xX-]+|[fF-]{8,})$/;

/** Whether an id stands for none. Requests that only share such an id have nothing to do with each other. */
export function isPlaceholderId(id: string): boolean {
  // All that it costs for most ids.
  if (id.length > longestWord && id.charCodeAt(0) !== id.charCodeAt(id.length - 1)) return false;
  return repeated.test(id) || (id.length <= longestWord && words.has(id.toLowerCase()));
}
