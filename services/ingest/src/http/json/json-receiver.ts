import type { FastifyReply, FastifyRequest } from 'fastify';
import { errors, type ErrorCode } from '../../errors.ts';
import { receiveSpan } from '../../telemetry.ts';
import { sendJsonError, type HttpReceiver, type HttpReceiverContext } from '../http-receiver.ts';
import { backfillParameter } from '../backfill-header.ts';
import { timeZoneParameter } from '../time-zone-header.ts';
import { mediaType, receive } from '../receive-request.ts';
import { refuseParametersBut } from '../refuse-parameters.ts';
import { acceptBody, type Receipt } from './accept-body.ts';

const path = '/ingest';
const span = receiveSpan(path);

const ndjsonTypes = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
]);
// `curl --data` sends the last one with any body; nobody means it.
const otherTypes = new Set(['', 'application/json', 'text/plain', 'application/x-www-form-urlencoded']);
/** Codes of texts in which there is no event to speak of. */
const unreadable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'bad-json',
  'invalid-utf8',
  'not-an-object',
  'event-too-large',
  'too-deep',
  'too-many-rejected',
]);

/** POST /ingest: NDJSON, a JSON array, one JSON object, several one behind another, or plain text. */
export const jsonReceiver: HttpReceiver = {
  name: 'json',
  paths: { [path]: 'POST' },
  register: (app, context) => {
    app.post(
      path,
      { onRequest: refuseParametersBut(backfillParameter, timeZoneParameter) },
      async (request, reply) => ingest(request, reply, context),
    );
  },
  sendError: sendJsonError,
};

async function ingest(
  request: FastifyRequest,
  reply: FastifyReply,
  context: HttpReceiverContext,
): Promise<Receipt> {
  const type = mediaType(request);
  return receive(request, reply, context, {
    span,
    accepts: () => ndjsonTypes.has(type) || otherTypes.has(type),
    work: async ({ body, ...received }) => {
      const receipt = await acceptBody(body, {
        ...received,
        isNdjson: ndjsonTypes.has(type),
        isPlain: type === 'text/plain',
      });
      if (receipt.accepted > 0 || receipt.duplicates !== undefined || receipt.rejected.length === 0)
        return receipt;
      if (receipt.rejected.some(({ code }) => !unreadable.has(code))) return receipt;
      const code = 'nothing-readable';
      context.metrics.failedRequests.inc({ code });
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
