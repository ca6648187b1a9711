import { loadtestHeader } from '@logloom/schemas';
import type { FastifyRequest } from 'fastify';
import { IngestError } from '../errors.ts';
import type { HttpReceiverContext } from './http-receiver.ts';

/**
 * The run of a load test that the request's events belong to; undefined: they are events like any other. It hides them from users, so where
 * senders have keys only a key with the permission may do it. Throws IngestError `bad-loadtest`, `loadtest-not-allowed`.
 */
export function readLoadtestRun(
  { headers, ingestKey, raw }: Pick<FastifyRequest, 'headers' | 'ingestKey' | 'raw'>,
  { settings, guard }: Pick<HttpReceiverContext, 'settings' | 'guard'>,
): string | undefined {
  const run = headers[loadtestHeader];
  if (run === undefined) return undefined;
  const isAllowed = settings.INGEST_LOADTEST && (guard === undefined || ingestKey?.mayLoadtest === true);
  const isWrong = typeof run !== 'string' || !/^[\w-]{1,64}$/.test(run);
  if (isAllowed && !isWrong) return run;
  // The rest of the body is read and dropped, so that the client can read the response.
  raw.resume();
  throw new IngestError(isAllowed ? 'bad-loadtest' : 'loadtest-not-allowed');
}
