import { unpack } from '../http/read-body.ts';
import { IngestError } from '../errors.ts';

/** The flag and the length before each message. */
const prefixBytes = 5;

/**
 * Returns the message of a unary call. `body` is the call's data: one message behind its flag and length. `encoding` is the header
 * grpc-encoding. Throws IngestError `bad-request`, `unsupported-encoding`, `bad-encoding`, `body-too-large`, `overloaded`.
 */
export async function readGrpcMessage(
  body: Buffer,
  encoding: string,
  maxBytes: number,
  claim: (bytes: number) => void,
): Promise<Buffer> {
  if (body.length < prefixBytes || body.length - prefixBytes !== body.readUInt32BE(1) || body[0]! > 1)
    throw new IngestError('bad-request', 'the call is not one message of gRPC');
  const message = body.subarray(prefixBytes);
  if (body[0] === 0 || message.length === 0) return message;
  if (!encodings.has(encoding))
    throw new IngestError('unsupported-encoding', `the message is packed as ${encoding.slice(0, 100)}`);
  return unpack(message, encoding, maxBytes, { take: claim });
}

const encodings = new Set(['gzip', 'deflate', 'zstd']);

/** Returns a message with its flag and length. */
export function grpcMessage(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, prefixBytes);
  return framed;
}
