/** The attribute values that filters can test; objects and null do not count. */
export type AttributeValue = string | number | boolean;

/** The values under each dotted path. */
export type AttributeValues = ReadonlyMap<string, readonly AttributeValue[]>;

/** Deeper values are ignored, which bounds the work that one hostile event can cause. */
export const maxAttributeDepth = 32;

/**
 * Reads an event's attributes (a JSON object, as text). A path is the keys from the top down joined by dots, so a key with dots and nested
 * objects have the same path; an array adds nothing to the path, and each of its elements is a value. A text that is not a JSON object has
 * no values.
 */
export function attributeValues(attributes: string): AttributeValues {
  const values = new Map<string, AttributeValue[]>();
  if (attributes === '{}') return values;
  let parsed: unknown;
  try {
    parsed = JSON.parse(attributes);
  } catch {
    return values;
  }
  if (isObject(parsed)) collectMembers(values, '', parsed, 1);
  return values;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function collectMembers(
  values: Map<string, AttributeValue[]>,
  prefix: string,
  object: Record<string, unknown>,
  depth: number,
): void {
  for (const key in object) collect(values, prefix + key, object[key], depth);
}

function collect(values: Map<string, AttributeValue[]>, path: string, value: unknown, depth: number): void {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    const found = values.get(path);
    if (found === undefined) values.set(path, [value]);
    else found.push(value);
  } else if (depth < maxAttributeDepth) {
    if (Array.isArray(value)) for (const element of value) collect(values, path, element, depth + 1);
    else if (isObject(value)) collectMembers(values, `${path}.`, value, depth + 1);
  }
}
