import { unknownParameter } from '@logloom/runtime';
import type { FastifyRequest } from 'fastify';
import { IngestError } from '../errors.ts';

/**
 * For the `onRequest` of Logloom's own routes, which take no query parameters but these. Those of other protocols ignore what they do not
 * know, as the originals do. Throws IngestError `bad-parameter`.
 */
export function refuseParametersBut(...known: string[]): (request: FastifyRequest) => Promise<void> {
  return async ({ query, raw }) => {
    const details = unknownParameter(Object.keys(query as object), known);
    if (details === undefined) return;
    // The rest of the body is read and dropped, so that the client can read the response.
    raw.resume();
    throw new IngestError('bad-parameter', undefined, { details });
  };
}
