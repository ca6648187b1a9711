/** A page ends after this many bytes, unless the store is opened with another limit. */
export const defaultPageBytes = 8 * 2 ** 20;

/** For longer texts the size as JSON is counted exactly: a control character takes six bytes. */
const shortLength = 512;

/** Roughly the bytes that these values take in a response. */
export function bytesOf(values: readonly unknown[]): number {
  let bytes = 100;
  for (const value of values) {
    if (typeof value !== 'string') continue;
    bytes += value.length < shortLength ? value.length : Buffer.byteLength(JSON.stringify(value));
  }
  return bytes;
}
