import type { FastifyReply, FastifyRequest } from 'fastify';
import { receiveSpan } from '../../telemetry.ts';
import type { HttpReceiver, HttpReceiverContext } from '../http-receiver.ts';
import { mediaType, receive } from '../receive-request.ts';
import { refusalText } from '../accept-event-groups.ts';
import { acceptLoki } from './accept-loki.ts';

const path = '/loki/api/v1/push';
/** Where clients of before Loki 1.0 push. */
const oldPath = '/api/prom/push';
const span = receiveSpan(path);

const jsonType = 'application/json';
// A client that names no type means protobuf.
const protobufTypes = new Set(['', 'application/x-protobuf']);

/**
 * POST /loki/api/v1/push, and GET /ready, which Loki's clients ask. Responses are Loki's: 204; 400 with the reason in words when
 * entries were refused, also when others were accepted.
 */
export const lokiReceiver: HttpReceiver = {
  name: 'loki',
  paths: { [path]: 'POST', [oldPath]: 'POST', '/ready': 'GET, HEAD' },
  openPaths: ['/ready'],
  register: (app, context) => {
    for (const url of [path, oldPath]) app.post(url, async (request, reply) => push(request, reply, context));
    app.get('/ready', async (_request, reply) => {
      const { phase } = context.state;
      return reply.code(phase === 'ready' ? 200 : 503).send(`${phase}\n`);
    });
  },
  sendError: ({ code, message }, reply) => reply.type('text/plain').send(`${code}: ${message}\n`),
};

async function push(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
): Promise<FastifyReply> {
  const isJson = mediaType(request) === jsonType;
  const receipt = await receive(request, reply, context, {
    span,
    accepts: (type) => type === jsonType || protobufTypes.has(type),
    ...(!isJson && { packed: 'snappy' }),
    work: (received) => acceptLoki(received, isJson),
    counts: (receipt) => receipt,
  });
  if (receipt.rejected === 0) return reply.code(204).send();
  return reply
    .code(400)
    .type('text/plain')
    .send(`${refusalText(receipt, 'entries')}\n`);
}
