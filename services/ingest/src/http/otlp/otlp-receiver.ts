import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mediaType, receive, type Doors } from '../receive-request.ts';
import { acceptOtlp } from './accept-otlp.ts';
import type { SendError } from '../http-server.ts';
import { jsonType, protobufType, writeOtlpAnswer, writeOtlpError } from './otlp-response.ts';
import { spans } from '../../telemetry.ts';

/** POST /v1/logs: OTLP/HTTP, protobuf and JSON. Errors are a google.rpc.Status in the encoding of the request. */
export function registerOtlpDoor(app: FastifyInstance, doors: Doors): SendError {
  app.post('/v1/logs', async (request, reply) => logs(request, reply, doors));
  return (error, reply) => {
    const type = mediaType(reply.request) === protobufType ? protobufType : jsonType;
    return reply.type(type).send(writeOtlpError(error, type));
  };
}

async function logs(request: FastifyRequest, reply: FastifyReply, doors: Doors): Promise<Buffer> {
  const type = mediaType(request) === protobufType ? protobufType : jsonType;
  const receipt = await receive(request, reply, doors, {
    span: spans.receiveOtlp,
    accepts: (type) => type === protobufType || type === jsonType,
    work: (received) => acceptOtlp(received, type === protobufType),
    counts: (receipt) => receipt,
  });
  reply.type(type);
  return writeOtlpAnswer(receipt, type);
}
