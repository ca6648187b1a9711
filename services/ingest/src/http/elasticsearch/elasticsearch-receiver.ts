import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptBulk, type BulkReceipt } from './accept-bulk.ts';
import { readBulk, type Bulk } from './bulk-body.ts';
import { receive, type Doors, type Received } from '../receive-request.ts';
import { registerElasticsearchQuestions } from './elasticsearch-questions.ts';
import { IngestError } from '../../errors.ts';
import type { SendError } from '../http-server.ts';
import { spans } from '../../telemetry.ts';

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
 * Elasticsearch's API as far as its shippers and clients need it to send: `_bulk`, single documents, and what they ask before that.
 * Errors are worded as Elasticsearch words them.
 */
export function registerElasticsearchDoor(app: FastifyInstance, doors: Doors): SendError {
  // The official clients go on only with a server that says this.
  app.addHook('onSend', async (_request, reply) => void reply.header('x-elastic-product', 'Elasticsearch'));
  for (const url of ['/_bulk', '/:index/_bulk', '/:index/:type/_bulk'])
    app.route<Place>({
      method: ['POST', 'PUT'],
      url,
      handler: async (request, reply) => bulk(request, reply, doors),
    });
  for (const url of ['/:index/_doc', '/:index/_doc/:id', '/:index/_create/:id'])
    app.route<Place>({
      method: ['POST', 'PUT'],
      url,
      handler: async (request, reply) => single(request, reply, doors),
    });
  registerElasticsearchQuestions(app, doors.state);
  return ({ code, status, message }, reply) => {
    const error = { type: typeOf(status), reason: `${code}: ${message}` };
    return answer(reply, JSON.stringify({ error: { root_cause: [error], ...error }, status }));
  };
}

async function bulk(
  request: FastifyRequest<Place>,
  reply: FastifyReply,
  doors: Doors,
): Promise<FastifyReply> {
  const began = performance.now();
  const { index } = request.params;
  const receipt = await take(request, reply, doors, ({ body, cost }) => readBulk(body, index, cost));
  const took = Math.round(performance.now() - began);
  const items = receipt.items.join(',');
  return answer(reply, `{"took":${took},"errors":${receipt.rejected > 0},"items":[${items}]}`);
}

async function single(
  request: FastifyRequest<Place>,
  reply: FastifyReply,
  doors: Doors,
): Promise<FastifyReply> {
  const { index, id } = request.params;
  const meta = {
    action: 'index',
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
  } as const;
  const receipt = await take(request, reply, doors, async ({ body }) => {
    if (body.length === 0) throw new IngestError('empty-body');
    return { count: 1, items: [{ meta, piece: { line: 1, start: 0, end: body.length } }] };
  });
  const { status, error, ...place } = (JSON.parse(receipt.items[0]!) as { index: ItemAnswer }).index;
  reply.code(status);
  return answer(
    reply,
    JSON.stringify(error === undefined ? place : { error: { root_cause: [error], ...error }, status }),
  );
}

interface ItemAnswer {
  status: number;
  error?: { type: string; reason: string };
}

async function take(
  request: FastifyRequest,
  reply: FastifyReply,
  doors: Doors,
  split: (received: Received) => Promise<Bulk>,
): Promise<BulkReceipt> {
  return receive(request, reply, doors, {
    span: spans.receiveBulk,
    accepts: (type) => bulkTypes.has(type),
    work: async (received) => acceptBulk(await split(received), received),
    counts: (receipt) => receipt,
  });
}

/** JSON in the media type that the client asks for: its own, with the version that it is compatible with, or the plain one. */
export function answer(reply: FastifyReply, json: string): FastifyReply {
  const version = /application\/vnd\.elasticsearch\+json; *compatible-with=(\d+)/.exec(
    reply.request.headers.accept ?? '',
  )?.[1];
  const type =
    version === undefined
      ? 'application/json'
      : `application/vnd.elasticsearch+json;compatible-with=${version}`;
  // To a text fastify would add a charset.
  return reply.header('content-type', type).send(Buffer.from(json));
}

function typeOf(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'security_exception';
    case 404:
      return 'resource_not_found_exception';
    case 413:
      return 'content_too_long_exception';
    case 415:
      return 'media_type_header_exception';
    case 429:
      return 'es_rejected_execution_exception';
    case 503:
      return 'process_cluster_event_timeout_exception';
    default:
      return status < 500 ? 'illegal_argument_exception' : 'exception';
  }
}
