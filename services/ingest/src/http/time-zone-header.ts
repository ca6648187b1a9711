import type { FastifyRequest } from 'fastify';
import { IngestError } from '../errors.ts';
import { timeZone, type TimeZone } from '../text/time/time-zone.ts';

/** The query parameter that does what the header does, for senders that can set nothing but a URL. */
export const timeZoneParameter = 'time-zone';
const timeZoneHeader = 'logloom-time-zone';

/**
 * The zone of the request's times that name none: `Logloom-Time-Zone: Europe/Berlin`, or `?time-zone=`; undefined: that of the settings.
 * Throws IngestError `bad-time-zone`.
 */
export function readTimeZoneHeader({
  headers,
  query,
  raw,
}: Pick<FastifyRequest, 'headers' | 'query' | 'raw'>): TimeZone | undefined {
  const name = headers[timeZoneHeader] ?? (query as Record<string, unknown>)[timeZoneParameter];
  if (name === undefined) return undefined;
  const zone = typeof name === 'string' && name.length <= 64 ? timeZone(name.trim()) : undefined;
  if (zone !== undefined) return zone;
  // The rest of the body is read and dropped, so that the client can read the response.
  raw.resume();
  throw new IngestError('bad-time-zone');
}
