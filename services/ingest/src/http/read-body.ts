import type { IncomingMessage } from 'node:http';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  constants,
} from 'node:zlib';
import { IngestError } from '../errors.ts';

/** Counts the bytes of the requests in work, so that memory has a bound. */
export class PendingBytes {
  readonly #max: number;
  #bytes = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws IngestError `overloaded` when the bytes do not fit any more. */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#max) throw new IngestError('overloaded');
    this.#bytes += bytes;
  }

  /** Bytes that are free. */
  get free(): number {
    return Math.max(0, this.#max - this.#bytes);
  }

  get max(): number {
    return this.#max;
  }

  /** Counts bytes that are known to fit; a negative number gives some back. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** A request's claim on the pending bytes; disposing gives it back. */
export class Claim implements Disposable {
  readonly #pending: PendingBytes;
  #bytes = 0;

  constructor(pending: PendingBytes) {
    this.#pending = pending;
  }

  take(bytes: number): void {
    this.#pending.take(bytes);
    this.#bytes += bytes;
  }

  /**
   * Like take(), for what a body is taken apart to. Throws IngestError `body-too-complex` when it would not fit if the request were
   * alone: to repeat it is no use then.
   */
  takeParts(bytes: number): void {
    if (this.#bytes + bytes > this.#pending.max) throw new IngestError('body-too-complex');
    this.take(bytes);
  }

  /** Takes so many bytes, or half of what is free; returns how many. */
  takeUpTo(bytes: number): number {
    const taken = Math.min(bytes, Math.floor(this.#pending.free / 2));
    this.take(taken);
    return taken;
  }

  [Symbol.dispose](): void {
    this.#pending.release(this.#bytes);
  }
}

const unpackChunk = 256 * 1024;
/** 8 MiB is what a sender may ask for in HTTP (RFC 9659); a few bytes can ask for 128. */
const zstdWindowLog = 23;

/**
 * Receives and unpacks a body of at most `maxBytes`; each byte is claimed as it comes. `packed` names encodings that are left to the
 * caller. Throws IngestError `body-too-large`, `overloaded`, `bad-encoding`, `unsupported-encoding`.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  claim: Claim,
  packed?: string,
): Promise<Buffer> {
  const header = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  const encoding = header === '' || header === packed ? 'identity' : header;
  if (!encodings.has(encoding)) throw new IngestError('unsupported-encoding');
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new IngestError('body-too-large');
  const body = await receive(request, maxBytes, claim);
  return encoding === 'identity' || body.length === 0 ? body : await unpack(body, encoding, maxBytes, claim);
}

async function receive(request: IncomingMessage, maxBytes: number, claim: Claim): Promise<Buffer> {
  try {
    // A stream that is left early is destroyed by default, and the answer with it.
    return await collect(request.iterator({ destroyOnReturn: false }), maxBytes, claim);
  } catch (error) {
    // What is still to come is thrown away, so that the client gets to read the answer.
    request.resume();
    throw error;
  }
}

const encodings = new Set(['identity', 'gzip', 'x-gzip', 'deflate', 'zstd', 'br']);

async function unpack(packed: Buffer, encoding: string, maxBytes: number, claim: Claim): Promise<Buffer> {
  const decoder = createDecoder(encoding, packed);
  decoder.end(packed);
  try {
    return await collect(decoder, maxBytes, claim);
  } catch (error) {
    if (error instanceof IngestError) throw error;
    throw new IngestError('bad-encoding', `the ${encoding} body is broken: ${(error as Error).message}`);
  } finally {
    decoder.destroy();
  }
}

function createDecoder(encoding: string, packed: Buffer) {
  const options = { chunkSize: unpackChunk };
  switch (encoding) {
    case 'deflate':
      // RFC 9110 means zlib's format; some clients send the bare one.
      return hasZlibHeader(packed) ? createInflate(options) : createInflateRaw(options);
    case 'zstd':
      return createZstdDecompress({ ...options, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
    case 'br':
      return createBrotliDecompress(options);
    default:
      return createGunzip(options);
  }
}

/** RFC 1950: the method is 8, and the two bytes are a multiple of 31. */
function hasZlibHeader(packed: Buffer): boolean {
  return packed.length >= 2 && (packed[0]! & 0x0f) === 8 && packed.readUInt16BE(0) % 31 === 0;
}

async function collect(stream: AsyncIterable<unknown>, maxBytes: number, claim: Claim): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new IngestError('body-too-large');
    claim.take(chunk.length);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes);
}
