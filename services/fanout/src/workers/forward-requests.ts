import { clientHeader } from '@logloom/auth';
import { CodedError, requestErrors } from '@logloom/errors';
import { refuseUnknown, sendError, type RouteTable } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Headers of a single connection, which are not forwarded (RFC 9110, section 7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export interface Forwarding {
  /** The local socket of the server that receives the requests. */
  socketPath: string;
  addressOf: (request: IncomingMessage) => string | undefined;
  /** The server's own routes: their paths are not forwarded, whatever the method. */
  routes: RouteTable;
}

/**
 * Forwards every request without a route to the server at a local socket, with bodies streamed, and returns its response. It sends the
 * client's address in x-logloom-client and ignores the client's own header.
 */
export function forwardRequests(app: FastifyInstance, { socketPath, addressOf, routes }: Forwarding): void {
  const agent = new Agent({ keepAlive: true });
  app.addHook('onClose', () => agent.destroy());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setNotFoundHandler(async (request, reply) => {
    const { raw, url } = request;
    if (routes.methodsOf(url.split('?', 1)[0]!).length > 0) return refuseUnknown(request, reply, routes);
    try {
      const response = await forward(raw, reply.raw, socketPath, agent, addressOf(raw));
      return await reply.code(response.statusCode!).headers(endToEnd(response.headers)).send(response);
    } catch {
      return sendError(reply, new CodedError(requestErrors, 'starting'));
    }
  });
}

function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  socketPath: string,
  agent: Agent,
  address: string | undefined,
): Promise<IncomingMessage> {
  const { method, url, headers } = incoming;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        socketPath,
        agent,
        method,
        path: url,
        headers: { ...endToEnd(headers), [clientHeader]: address ?? '' },
      },
      resolve,
    );
    outgoing.on('error', reject);
    // If the client is gone, the work ends at that server too.
    response.once('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set(headers.connection?.split(',').map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !named.has(name)),
  );
}
