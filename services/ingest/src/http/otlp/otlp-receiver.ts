import type { FastifyReply, FastifyRequest } from 'fastify';
import { receiveSpan } from '../../telemetry.ts';
import type { HttpReceiver, HttpReceiverContext } from '../http-receiver.ts';
import { mediaType, receive } from '../receive-request.ts';
import { acceptOtlp } from './accept-otlp.ts';
import { jsonType, protobufType, writeOtlpError, writeOtlpResponse } from './otlp-response.ts';

const path = '/v1/logs';
const span = receiveSpan(path);

/** POST /v1/logs: OTLP/HTTP, protobuf and JSON. Errors are a google.rpc.Status in the encoding of the request. */
export const otlpReceiver: HttpReceiver = {
  paths: { [path]: 'POST' },
  register: (app, context) => {
    app.post(path, async (request, reply) => logs(request, reply, context));
  },
  sendError: (error, reply) => {
    const type = mediaType(reply.request) === protobufType ? protobufType : jsonType;
    return reply.type(type).send(writeOtlpError(error, type));
  },
};

async function logs(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
): Promise<Buffer> {
  const type = mediaType(request) === protobufType ? protobufType : jsonType;
  const receipt = await receive(request, reply, context, {
    span,
    accepts: (type) => type === protobufType || type === jsonType,
    work: (received) => acceptOtlp(received, type === protobufType),
    counts: (receipt) => receipt,
  });
  reply.type(type);
  return writeOtlpResponse(receipt, type);
}
