import type { SpanSpec } from '@logloom/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { receiveSpan } from '../../telemetry.ts';
import type { HttpReceiver, HttpReceiverContext } from '../http-receiver.ts';
import { mediaType, receive } from '../receive-request.ts';
import { acceptOtlp } from './accept-otlp.ts';
import type { AcceptSignal } from './accept-signal.ts';
import { acceptSpans } from './accept-spans.ts';
import { jsonType, protobufType, writeOtlpError, writeOtlpResponse, type Signal } from './otlp-response.ts';

/** The paths of signals. Loki takes log records in OTLP under a path of its own. */
const signals: Readonly<Record<string, { signal: Signal; accept: AcceptSignal }>> = {
  '/v1/logs': { signal: 'logs', accept: acceptOtlp },
  '/otlp/v1/logs': { signal: 'logs', accept: acceptOtlp },
  '/v1/traces': { signal: 'traces', accept: acceptSpans },
};

/** POST /v1/logs and /v1/traces: OTLP/HTTP, protobuf and JSON. Errors are a google.rpc.Status in the encoding of the request. */
export const otlpReceiver: HttpReceiver = {
  name: 'otlp',
  paths: Object.fromEntries(Object.keys(signals).map((path) => [path, 'POST'])),
  register: (app, context) => {
    for (const [path, { signal, accept }] of Object.entries(signals)) {
      const span = receiveSpan(path);
      app.post(path, async (request, reply) => take(request, reply, context, { span, signal, accept }));
    }
  },
  sendError: (error, reply) => {
    const type = mediaType(reply.request) === protobufType ? protobufType : jsonType;
    return reply.type(type).send(writeOtlpError(error, type));
  },
};

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
  { span, signal, accept }: { span: SpanSpec; signal: Signal; accept: AcceptSignal },
): Promise<Buffer> {
  const type = mediaType(request) === protobufType ? protobufType : jsonType;
  const receipt = await receive(request, reply, context, {
    span,
    accepts: (type) => type === protobufType || type === jsonType,
    work: (received) => accept(received, type === protobufType),
    counts: (receipt) => receipt,
  });
  reply.type(type);
  return writeOtlpResponse(receipt, type, signal);
}
