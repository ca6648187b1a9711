import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptLoki } from './accept-loki.ts';
import { mediaType, receive, type Doors } from '../receive-request.ts';
import type { SendError } from '../http-server.ts';
import { spans } from '../../telemetry.ts';

const jsonType = 'application/json';
// A client that names no type means protobuf.
const protobufTypes = new Set(['', 'application/x-protobuf']);

/**
 * POST /loki/api/v1/push, and GET /ready, which its clients ask. Answers are Loki's: 204; 400 with the reason in words when entries
 * were refused, also when the others were taken in.
 */
export function registerLokiDoor(app: FastifyInstance, doors: Doors): SendError {
  app.post('/loki/api/v1/push', async (request, reply) => push(request, reply, doors));
  app.get('/ready', async (_request, reply) => {
    const { phase } = doors.state;
    return reply.code(phase === 'ready' ? 200 : 503).send(`${phase}\n`);
  });
  return ({ code, message }, reply) => reply.type('text/plain').send(`${code}: ${message}\n`);
}

async function push(request: FastifyRequest, reply: FastifyReply, doors: Doors): Promise<FastifyReply> {
  const isJson = mediaType(request) === jsonType;
  const { accepted, rejected, reason } = await receive(request, reply, doors, {
    span: spans.receiveLoki,
    accepts: (type) => type === jsonType || protobufTypes.has(type),
    ...(!isJson && { packed: 'snappy' }),
    work: (received) => acceptLoki(received, isJson),
    counts: (receipt) => receipt,
  });
  if (rejected === 0) return reply.code(204).send();
  const total = accepted + rejected;
  return reply.code(400).type('text/plain').send(`${rejected} of ${total} entries refused: ${reason}\n`);
}
