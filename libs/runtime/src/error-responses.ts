import { CodedError, errorBody, requestErrors } from '@logloom/errors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Server } from 'node:http';
import { RouteTable } from './route-table.ts';

type RequestErrorCode = keyof typeof requestErrors;

const retryAfterSeconds = 1;

/** The codes for requests that fastify itself refuses. */
const codesByStatus: Readonly<Record<number, RequestErrorCode>> = {
  404: 'not-found',
  405: 'method-not-allowed',
  408: 'request-timeout',
  413: 'body-too-large',
  // A path parameter is longer than any id.
  414: 'not-found',
  415: 'unsupported-type',
};
const badJson = new Set(['FST_ERR_CTP_INVALID_JSON_BODY', 'FST_ERR_CTP_EMPTY_JSON_BODY']);

/** The coded error for a handler's failure: its own code, the one for a request that fastify refuses, or `internal-error` for a fault. */
export function asCodedError(error: unknown): CodedError {
  // A code without a status is not meant to be a response.
  if (error instanceof CodedError && error.status !== 500) return error as CodedError;
  const { statusCode = 500, code, message } = error as Partial<FastifyError>;
  const options = { cause: error };
  if (statusCode >= 500) return new CodedError(requestErrors, 'internal-error', undefined, options);
  if (badJson.has(code ?? '') || (error instanceof SyntaxError && statusCode === 400))
    return new CodedError(requestErrors, 'bad-json', undefined, options);
  const known = codesByStatus[statusCode];
  if (known !== undefined) return new CodedError(requestErrors, known, undefined, options);
  return new CodedError(requestErrors, 'bad-request', message, options);
}

/** Responds with an error in the common shape. */
export function sendError(reply: FastifyReply, error: CodedError): FastifyReply {
  if (error.retriable && !reply.hasHeader('retry-after'))
    reply.header('retry-after', String(retryAfterSeconds));
  return reply.code(error.status).type('application/json; charset=utf-8').send(errorBody(error));
}

/**
 * Makes a server respond in one shape to everything that it refuses: unknown paths (404) and methods (405 with `Allow`), bodies that cannot
 * be read, requests while it closes, faults. Called before routes are added. `onFault` gets the errors behind 500 responses.
 */
export function respondWithErrors(app: FastifyInstance, onFault?: (error: unknown) => void): void {
  handleErrors(app, onFault);
  const routes = new RouteTable(app);
  app.setNotFoundHandler((request, reply) => refuseUnknown(request, reply, routes));
}

/** respondWithErrors() without unknown paths, for a server that passes those on. */
export function handleErrors(app: FastifyInstance, onFault?: (error: unknown) => void): void {
  ignoreExpectations(app.server);
  let isClosing = false;
  app.addHook('preClose', async () => void (isClosing = true));
  app.addHook('onRequest', async (request, reply) => {
    if (isClosing) {
      reply.header('connection', 'close');
      throw new CodedError(requestErrors, 'draining');
    }
    refuseWithoutHost(request);
  });
  app.setErrorHandler((error, _request, reply) => {
    const coded = asCodedError(error);
    if (coded.status === 500) onFault?.(error);
    return sendError(reply, coded);
  });
}

/** RFC 9112, section 3.2: 400 for a request of HTTP/1.1 without Host. Node itself would respond without a body. */
export function refuseWithoutHost({ raw }: FastifyRequest): void {
  if (raw.httpVersion === '1.1' && raw.headers.host === undefined)
    throw new CodedError(requestErrors, 'bad-request', 'the request has no Host');
}

/** Responds to a request without a route: 405 if the path has other methods, else 404. */
export function refuseUnknown(
  request: FastifyRequest,
  reply: FastifyReply,
  routes: RouteTable,
): FastifyReply {
  const methods = routes.methodsOf(request.url.split('?', 1)[0]!);
  if (methods.length === 0) return sendError(reply, new CodedError(requestErrors, 'not-found'));
  reply.header('allow', methods.join(', '));
  return sendError(reply, new CodedError(requestErrors, 'method-not-allowed'));
}

/** Ignores an `Expect` that is not `100-continue` (RFC 9110, section 10.1.1): Node would respond 417 without a body. */
export function ignoreExpectations(server: Server): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}
