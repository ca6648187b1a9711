import { SearchStoreError } from '../search-store.ts';

/** The fields of fixed names that have values to group by. */
export const groupFields = [
  'level',
  'service',
  'host',
  'correlationId',
  'correlationKind',
  'traceId',
  'spanId',
] as const;

export type GroupField = (typeof groupFields)[number];

/** Where a field's values are: a field of the event, or a path in its attributes. */
export type FieldPlace = { field: GroupField } | { path: string };

const prefix = 'attributes.';

/** Throws SearchStoreError `unknown-field`. */
export function fieldPlace(name: string): FieldPlace {
  // U+0000 is in no path that an engine indexes.
  if (name.startsWith(prefix) && name.length > prefix.length && !name.includes('\0'))
    return { path: name.slice(prefix.length) };
  const field = groupFields.find((known) => known === name);
  if (field !== undefined) return { field };
  throw new SearchStoreError(
    'unknown-field',
    `no values are counted for '${name}'; use ${groupFields.join(', ')} or attributes.<path>`,
    { subject: name },
  );
}

/** The path of a field that may hold numbers. Throws SearchStoreError `unknown-field`. */
export function numberPath(name: string): string {
  const place = fieldPlace(name);
  if ('path' in place) return place.path;
  throw new SearchStoreError('unknown-field', `'${name}' holds no numbers; use attributes.<path>`, {
    subject: name,
  });
}
