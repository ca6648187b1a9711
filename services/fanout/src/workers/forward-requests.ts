import { CodedError, requestErrors } from '@logloom/errors';
import { refuseUnknown, sendError, type RouteTable } from '@logloom/runtime';
import type { FastifyInstance } from 'fastify';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What belongs to one connection and goes no further (RFC 9110, section 7.6.1). */
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
  /** The server that the requests go on to listens here. */
  socketPath: string;
  addressOf: (request: IncomingMessage) => string | undefined;
  /** The server's own routes: a path of theirs is not passed on, whatever the method. */
  routes: RouteTable;
}

/**
 * Sends every request that has no route of its own on to the server at a local socket, bodies streamed, and returns its response. That server
 * is told the client's address (x-logloom-client), whatever the client says there.
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
        headers: { ...endToEnd(headers), 'x-logloom-client': address ?? '' },
      },
      resolve,
    );
    outgoing.on('error', reject);
    // Work for a client that is gone ends where it is done.
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
