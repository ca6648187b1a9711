/** The cases, as kind/id, that are not read right yet. */
export const notYet: readonly string[] = [
  'mixed/mixed-concatenated',
  'mixed/mixed-concatenated-ndjson-type',
  'mixed/mixed-concatenated-spaces',
  'mixed/mixed-pretty-twice',
  'placeholder-ids/placeholder-zeros-in-front',
];
