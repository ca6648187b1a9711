import type { SpanSpec } from '@logloom/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { receiveSpan } from '../telemetry.ts';
import type { HttpReceiver, HttpReceiverContext } from '../http/http-receiver.ts';
import { receive } from '../http/receive-request.ts';
import { acceptOtlp } from '../http/otlp/accept-otlp.ts';
import type { AcceptSignal } from '../http/otlp/accept-signal.ts';
import { acceptSpans } from '../http/otlp/accept-spans.ts';
import { protobufType, writeOtlpResponse, type Signal } from '../http/otlp/otlp-response.ts';
import { readGrpcMessage } from './grpc-message.ts';
import { sendGrpcError, sendGrpcMessage } from './grpc-response.ts';

interface Service {
  signal: Signal;
  accept: AcceptSignal;
}

const services: Readonly<Record<string, Service>> = {
  '/opentelemetry.proto.collector.logs.v1.LogsService/Export': { signal: 'logs', accept: acceptOtlp },
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export': { signal: 'traces', accept: acceptSpans },
};

/** The calls of OTLP/gRPC: log records and spans. */
export const otlpGrpcReceiver: HttpReceiver = {
  name: 'otlp-grpc',
  paths: Object.fromEntries(Object.keys(services).map((path) => [path, 'POST'])),
  register: (app, context) => {
    for (const [path, service] of Object.entries(services)) {
      const span = receiveSpan(path);
      app.post(path, async (request, reply) => call(request, reply, context, { ...service, span }));
    }
  },
  sendError: sendGrpcError,
};

async function call(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
  { span, signal, accept }: Service & { span: SpanSpec },
): Promise<FastifyReply> {
  const encoding = request.headers['grpc-encoding'];
  const receipt = await receive(request, reply, context, {
    span,
    accepts: (type) => type === 'application/grpc' || type === 'application/grpc+proto',
    work: async (received) => {
      const { body, claim } = received;
      const packing = typeof encoding === 'string' ? encoding.trim().toLowerCase() : 'identity';
      const message = await readGrpcMessage(body, packing, context.settings.INGEST_MAX_BODY_BYTES, claim);
      return accept({ ...received, body: message }, true);
    },
    counts: (receipt) => receipt,
  });
  return sendGrpcMessage(reply, writeOtlpResponse(receipt, protobufType, signal));
}
