import { gunzipSync, inflateSync } from 'node:zlib';
import { hasZlibHeader } from '../http/read-body.ts';

/**
 * Returns the JSON of a datagram or of joined ones: packed with gzip or zlib, or as it is. Undefined where it unpacks to more than
 * `maxBytes`, or is broken.
 */
export function unpackGelf(bytes: Buffer, maxBytes: number): Buffer | undefined {
  const options = { maxOutputLength: maxBytes };
  try {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, options);
    return hasZlibHeader(bytes) ? inflateSync(bytes, options) : bytes;
  } catch {
    return undefined;
  }
}
