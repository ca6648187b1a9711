import type { IncomingMessage } from 'node:http';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  constants,
} from 'node:zlib';
import type { MemoryClaim } from '../admission/memory-budget.ts';
import { IngestError } from '../errors.ts';

const unpackChunkBytes = 256 * 1024;
/** RFC 9659 allows senders a window of 8 MiB in HTTP; without a limit a few bytes can demand 128 MiB. */
const zstdWindowLog = 23;

/**
 * Receives and unpacks a body of at most `maxBytes`, and claims each byte as it arrives. The caller unpacks the encoding `packed` itself.
 * Throws IngestError `body-too-large`, `overloaded`, `bad-encoding`, `unsupported-encoding`.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  claim: MemoryClaim,
  packed?: string,
): Promise<Buffer> {
  const header = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  const encoding = header === '' || header === packed ? 'identity' : header;
  if (!encodings.has(encoding)) throw new IngestError('unsupported-encoding');
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw new IngestError('body-too-large');
  const body = await receive(request, maxBytes, claim);
  return encoding === 'identity' || body.length === 0 ? body : await unpack(body, encoding, maxBytes, claim);
}

async function receive(request: IncomingMessage, maxBytes: number, claim: MemoryClaim): Promise<Buffer> {
  try {
    // By default, leaving a stream early destroys it, and the response with it.
    return await collect(request.iterator({ destroyOnReturn: false }), maxBytes, claim);
  } catch (error) {
    // The rest of the body is read and dropped, so that the client can read the response.
    request.resume();
    throw error;
  }
}

const encodings = new Set(['identity', 'gzip', 'x-gzip', 'deflate', 'zstd', 'br']);

/** Bytes of memory, as they are taken; take() throws where there is no room. */
type Claim = Pick<MemoryClaim, 'take'>;

/**
 * Unpacks bytes to at most `maxBytes`, and claims each of them. Throws IngestError `body-too-large`, `overloaded`, `bad-encoding`.
 */
export async function unpack(
  packed: Buffer,
  encoding: string,
  maxBytes: number,
  claim: Claim,
): Promise<Buffer> {
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
  const options = { chunkSize: unpackChunkBytes };
  switch (encoding) {
    case 'deflate':
      // RFC 9110 means zlib's format; some clients send raw deflate.
      return hasZlibHeader(packed) ? createInflate(options) : createInflateRaw(options);
    case 'zstd':
      return createZstdDecompress({ ...options, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLog } });
    case 'br':
      return createBrotliDecompress(options);
    default:
      return createGunzip(options);
  }
}

/** RFC 1950: the method is 8, and the first two bytes are a multiple of 31. */
export function hasZlibHeader(packed: Buffer): boolean {
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
