// @ts-check
import { contextFromHeaders, runWithContext } from './context.js';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */

/**
 * Middleware for Express, Connect and anything else that calls (request, response, next): what comes after it runs in the request's
 * context, and the answer has the id as `x-correlation-id`. Use it first.
 */
export function expressContext() {
  return (
    /** @type {IncomingMessage} */ request,
    /** @type {ServerResponse} */ response,
    /** @type {() => void} */ next,
  ) => {
    const context = contextFromHeaders(request.headers);
    response.setHeader('x-correlation-id', context.correlationId);
    runWithContext(context, next);
  };
}
