import { gunzipSync, inflateSync } from 'node:zlib';

/**
 * Returns the JSON of a datagram or of joined ones: packed with gzip or zlib, or as it is. Undefined where it unpacks to more than
 * `maxBytes`, or is broken.
 */
export function unpackGelf(bytes: Buffer, maxBytes: number): Buffer | undefined {
  const options = { maxOutputLength: maxBytes };
  try {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, options);
    const isZlib = bytes.length > 1 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
    return isZlib ? inflateSync(bytes, options) : bytes;
  } catch {
    return undefined;
  }
}
