// @ts-check
/**
 * A record as one line of JSON, whatever is in it: errors with their message, stack and cause, bigints and other things that JSON has
 * not as text, a circular reference as "[Circular]".
 * @param {unknown} record
 * @returns {string}
 */
export function stringify(record) {
  try {
    return JSON.stringify(record, replace);
  } catch {
    return JSON.stringify(untangle(record, []));
  }
}

/** @param {string} _key @param {unknown} value */
function replace(_key, value) {
  if (value instanceof Error) return errorFields(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}

/** @param {Error} error */
function errorFields(error) {
  const { name, message, stack, cause } = error;
  return {
    ...Object.fromEntries(Object.entries(error)),
    type: name,
    message,
    stack,
    ...(cause === undefined ? {} : { cause }),
  };
}

/** @param {unknown} value @param {unknown[]} above @returns {unknown} */
function untangle(value, above) {
  if (typeof value !== 'object' || value === null) return replace('', value);
  if (above.includes(value)) return '[Circular]';
  const inside = [...above, value];
  try {
    const plain = /** @type {object} */ (
      typeof (/** @type {any} */ (value).toJSON) === 'function'
        ? /** @type {any} */ (value).toJSON()
        : replace('', value)
    );
    if (typeof plain !== 'object' || plain === null) return plain;
    if (Array.isArray(plain)) return plain.map((item) => untangle(item, inside));
    return Object.fromEntries(Object.entries(plain).map(([name, item]) => [name, untangle(item, inside)]));
  } catch (error) {
    return `[${/** @type {Error} */ (error).message}]`;
  }
}
