import type { FastifyReply, FastifyRequest } from 'fastify';
import { IngestError } from '../../errors.ts';
import { receiveSpan } from '../../telemetry.ts';
import type { HttpReceiver, HttpReceiverContext } from '../http-receiver.ts';
import { receive, type Received } from '../receive-request.ts';
import { acceptBulk, type BulkReceipt } from './accept-bulk.ts';
import { readBulk, type Bulk } from './bulk-body.ts';
import { registerElasticsearchQuestions } from './elasticsearch-questions.ts';
import { sendElasticsearch, sendElasticsearchError } from './elasticsearch-response.ts';

const span = receiveSpan('/_bulk');
const bulkTypes = new Set([
  '',
  'application/json',
  'application/x-ndjson',
  'application/ndjson',
  'text/plain',
  'application/vnd.elasticsearch+json',
  'application/vnd.elasticsearch+x-ndjson',
]);

interface Place {
  Params: { index?: string; id?: string };
}

/**
 * Elasticsearch's API as far as its shippers and clients need it to send: `_bulk`, single documents, and the requests that they make
 * before. Errors are worded as Elasticsearch words them.
 */
export const elasticsearchReceiver: HttpReceiver = {
  name: 'elasticsearch',
  paths: { '/_bulk': 'POST, PUT' },
  register: (app, context) => {
    // The official clients continue only with a server that sends this header.
    app.addHook('onSend', async (_request, reply) => void reply.header('x-elastic-product', 'Elasticsearch'));
    for (const url of ['/_bulk', '/:index/_bulk', '/:index/:type/_bulk'])
      app.route<Place>({
        method: ['POST', 'PUT'],
        url,
        handler: async (request, reply) => bulk(request, reply, context),
      });
    for (const url of ['/:index/_doc', '/:index/_doc/:id', '/:index/_create/:id'])
      app.route<Place>({
        method: ['POST', 'PUT'],
        url,
        handler: async (request, reply) => single(request, reply, context),
      });
    registerElasticsearchQuestions(app, context);
  },
  sendError: sendElasticsearchError,
};

async function bulk(
  request: FastifyRequest<Place>,
  reply: FastifyReply,
  context: HttpReceiverContext,
): Promise<FastifyReply> {
  const beganMs = performance.now();
  const { index } = request.params;
  const receipt = await take(request, reply, context, ({ body, cost }) => readBulk(body, index, cost));
  const took = Math.round(performance.now() - beganMs);
  const items = receipt.items.join(',');
  return sendElasticsearch(reply, `{"took":${took},"errors":${receipt.rejected > 0},"items":[${items}]}`);
}

async function single(
  request: FastifyRequest<Place>,
  reply: FastifyReply,
  context: HttpReceiverContext,
): Promise<FastifyReply> {
  const { index, id } = request.params;
  const meta = {
    action: 'index',
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
  } as const;
  const receipt = await take(request, reply, context, async ({ body }) => {
    if (body.length === 0) throw new IngestError('empty-body');
    return { count: 1, items: [{ meta, piece: { line: 1, start: 0, end: body.length } }] };
  });
  const { status, error, ...place } = (JSON.parse(receipt.items[0]!) as { index: ItemResponse }).index;
  reply.code(status);
  return sendElasticsearch(
    reply,
    JSON.stringify(error === undefined ? place : { error: { root_cause: [error], ...error }, status }),
  );
}

interface ItemResponse {
  status: number;
  error?: { type: string; reason: string };
}

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
  split: (received: Received) => Promise<Bulk>,
): Promise<BulkReceipt> {
  return receive(request, reply, context, {
    span,
    accepts: (type) => bulkTypes.has(type),
    work: async (received) => acceptBulk(await split(received), received),
    counts: (receipt) => receipt,
  });
}
