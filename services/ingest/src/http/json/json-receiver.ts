import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptBody, type Receipt } from './accept-body.ts';
import { mediaType, receive, type Doors } from '../receive-request.ts';
import { errors, type ErrorCode } from '../../errors.ts';
import { spans } from '../../telemetry.ts';

const ndjsonTypes = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
]);
// The last is what `curl --data` says of any body; nobody means it.
const otherTypes = new Set(['', 'application/json', 'text/plain', 'application/x-www-form-urlencoded']);
/** What befalls a text before there is an event in it. */
const unreadable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'bad-json',
  'invalid-utf8',
  'not-an-object',
  'event-too-large',
  'too-deep',
  'too-many-rejected',
]);

/** POST /ingest: NDJSON, a JSON array or one JSON object. */
export function registerIngestDoor(app: FastifyInstance, doors: Doors): void {
  app.post('/ingest', async (request, reply) => ingest(request, reply, doors));
}

async function ingest(request: FastifyRequest, reply: FastifyReply, doors: Doors): Promise<Receipt> {
  const type = mediaType(request);
  return receive(request, reply, doors, {
    span: spans.receive,
    accepts: () => ndjsonTypes.has(type) || otherTypes.has(type),
    work: async ({ body, ...received }) => {
      const receipt = await acceptBody(body, { ...received, isNdjson: ndjsonTypes.has(type) });
      if (receipt.accepted > 0 || receipt.duplicates !== undefined || receipt.rejected.length === 0)
        return receipt;
      if (receipt.rejected.some(({ code }) => !unreadable.has(code))) return receipt;
      const code = 'nothing-readable';
      doors.metrics.failedRequests.inc({ code });
      reply.code(errors[code].status);
      return { ...receipt, error: { code, message: errors[code].message } };
    },
    counts: ({ accepted, rejected, rejectedCount, duplicates = 0 }) => ({
      accepted,
      duplicates,
      rejected: rejectedCount ?? rejected.length,
    }),
  });
}
