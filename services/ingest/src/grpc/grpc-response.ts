import type { FastifyReply } from 'fastify';
import type { Http2ServerResponse } from 'node:http2';
import protobuf from 'protobufjs/minimal.js';
import type { IngestError } from '../errors.ts';
import { tagOf } from '../http/protobuf-reader.ts';
import { rpcCode } from '../http/otlp/otlp-response.ts';
import { grpcMessage } from './grpc-message.ts';

const type = 'application/grpc';
const unavailable = 14;
const unimplemented = 12;

/** Sends the response of a call that succeeded. */
export function sendGrpcMessage(reply: FastifyReply, message: Buffer): FastifyReply {
  const response = rawOf(reply);
  if (response.stream.destroyed) return reply;
  response.writeHead(200, { 'content-type': type });
  response.addTrailers({ 'grpc-status': '0' });
  response.end(grpcMessage(message));
  return reply;
}

/**
 * Sends the status of a call that failed. What may be sent again is always UNAVAILABLE with a RetryInfo, because clients send nothing
 * else again.
 */
export function sendGrpcError(error: IngestError, reply: FastifyReply): FastifyReply {
  const code = error.retriable
    ? unavailable
    : error.code === 'not-found'
      ? unimplemented
      : rpcCode(error.status);
  const message = `${error.code}: ${error.message}`;
  const response = rawOf(reply);
  if (response.stream.destroyed || response.stream.headersSent) return reply;
  response.stream.respond(
    {
      ':status': 200,
      'content-type': type,
      'grpc-status': String(code),
      'grpc-message': percentEncode(message),
      ...(error.retriable && {
        'grpc-status-details-bin': retryInfo(code, message, error.retryAfterSeconds),
      }),
    },
    { endStream: true },
  );
  return reply;
}

/** The response itself: fastify has no trailers for HTTP/2. */
function rawOf(reply: FastifyReply): Http2ServerResponse {
  reply.hijack();
  return reply.raw as unknown as Http2ServerResponse;
}

/** The gRPC specification: what is not printable ASCII, and %. */
function percentEncode(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^ -$&-~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Returns a google.rpc.Status with a google.rpc.RetryInfo, in base64. */
function retryInfo(code: number, message: string, seconds: number): string {
  const writer = protobuf.Writer.create().uint32(8).int32(code).uint32(tagOf(2)).string(message);
  writer.uint32(tagOf(3)).fork().uint32(tagOf(1)).string('type.googleapis.com/google.rpc.RetryInfo');
  // RetryInfo { retry_delay: Duration { seconds } }
  writer.uint32(tagOf(2)).fork().uint32(tagOf(1)).fork().uint32(8).int64(seconds).ldelim().ldelim().ldelim();
  return Buffer.from(writer.finish()).toString('base64');
}
