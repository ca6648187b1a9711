import { backfillHeader } from '@logloom/schemas';
import type { FastifyRequest } from 'fastify';
import { IngestError } from '../errors.ts';

/** The query parameter that does what the header does, for senders that can set nothing but a URL. */
export const backfillParameter = 'backfill';

/** Whether the request's events are a backfill: `Logloom-Backfill: true`, or `?backfill=true`. Throws IngestError `bad-backfill`. */
export function readBackfill({
  headers,
  query,
  raw,
}: Pick<FastifyRequest, 'headers' | 'query' | 'raw'>): boolean {
  const value = headers[backfillHeader] ?? (query as Record<string, unknown>)[backfillParameter] ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  // The rest of the body is read and dropped, so that the client can read the response.
  raw.resume();
  throw new IngestError('bad-backfill');
}
