import type { IngestKey, RequestGuard } from '@logloom/auth';
import { commonOptions, ignoreExpectations, protectResponses, refuseWithoutHost } from '@logloom/runtime';
import type { SecurityLog } from '@logloom/telemetry';
import fastify, { type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { asIngestError, IngestError } from '../errors.ts';
import { createOwnProducer } from '../producers/producer.ts';
import { healthPaths, registerHealth } from './health.ts';
import {
  sendJsonError,
  type HttpReceiver,
  type HttpReceiverContext,
  type SendError,
  type ServerState,
} from './http-receiver.ts';

/** How often the server looks for requests that take too long to arrive. */
const lookMs = 5_000;
/** A request that is still arriving this long after the signal is cut off. It had no response, so nothing of it was promised. */
const drainMs = 20_000;
const challenge = 'Bearer realm="logloom", Basic realm="logloom", ApiKey';

declare module 'fastify' {
  interface FastifyRequest {
    /** The key that the request came with; undefined where keys are not required. */
    ingestKey: IngestKey | undefined;
  }
}

export interface HttpServerOptions extends Omit<HttpReceiverContext, 'ownProducer' | 'reservedNames'> {
  receivers: readonly HttpReceiver[];
  /** Unset: pages of any origin, and under any host name, may send through browsers. */
  requests?: { guard: RequestGuard; security: SecurityLog } | undefined;
}

/** Returns the HTTP server for applications: the receivers' routes and the health checks. It does not listen yet. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { settings, state, receivers } = options;
  const app = fastify({
    ...commonOptions,
    logger: false,
    return503OnClosing: false,
    requestTimeout: settings.INGEST_REQUEST_MS,
    http: {
      // refuseWithoutHost() does it.
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(lookMs, Math.max(1, settings.INGEST_REQUEST_MS)),
    },
  });
  ignoreExpectations(app.server);
  // Node swaps the two when this is the longer one.
  app.server.headersTimeout = Math.min(app.server.headersTimeout, settings.INGEST_REQUEST_MS);
  // The receivers read bodies: they count, unpack and limit them by rules of their own.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  const paths = new Map(
    [...receivers.map((receiver) => receiver.paths), healthPaths].flatMap((each) => Object.entries(each)),
  );
  handleErrors(app, options, sendJsonError);
  app.setNotFoundHandler((request, reply) => {
    const allow = paths.get(pathOf(request.url));
    if (allow === undefined) throw new IngestError('not-found');
    reply.header('allow', allow);
    throw new IngestError('method-not-allowed');
  });
  app.addHook('onSend', async (_request, reply) => {
    if (state.phase === 'draining') reply.header('connection', 'close');
  });
  app.decorateRequest('ingestKey', undefined);
  guardSenders(app, options);
  const context: HttpReceiverContext = {
    ...options,
    ownProducer: createOwnProducer(),
    reservedNames: new Set([...paths.keys()].map((path) => path.split('/')[1]!)),
  };
  for (const receiver of receivers)
    void app.register(async (scope) => {
      handleErrors(scope, options, receiver.sendError);
      receiver.register(scope, context);
    });
  registerHealth(app, state);
  return app;
}

/** Refuses requests before their bodies are read: from web pages of other sites, and without a key where keys are required. */
export function guardSenders(
  app: FastifyInstance,
  { requests, guard, receivers }: Pick<HttpServerOptions, 'requests' | 'guard' | 'receivers'>,
): void {
  const open = new Set([
    ...Object.keys(healthPaths),
    ...receivers.flatMap(({ openPaths = [] }) => openPaths),
  ]);
  app.addHook('onRequest', async (request) => {
    try {
      refuseWithoutHost(request);
      const code = requests?.guard.refusal(request.raw);
      if (code !== undefined) throw new IngestError(code);
      if (!open.has(pathOf(request.url))) request.ingestKey = guard?.identify(request.headers);
    } catch (error) {
      // The rest of the body is read and dropped, so that the client can read the response.
      request.raw.resume();
      if (error instanceof IngestError) {
        const { host, origin } = request.headers;
        requests?.security.refused('ingest', error.code, {
          address: request.socket.remoteAddress,
          host,
          origin,
        });
      }
      throw error;
    }
  });
  protectResponses(app);
}

/** Words errors with `send`, and counts them. */
export function handleErrors(
  app: FastifyInstance,
  { metrics, logger }: Pick<HttpServerOptions, 'metrics' | 'logger'>,
  send: SendError,
): void {
  app.setErrorHandler((error, _request, reply) => {
    const known = asIngestError(error as Error);
    if (known.code === 'internal-error') logger.error({ err: error }, 'a request failed');
    metrics.failedRequests.inc({ code: known.code });
    if (known.retriable) reply.header('retry-after', String(known.retryAfterSeconds));
    if (known.code === 'unauthorized') reply.header('www-authenticate', challenge);
    return send(known, reply.code(known.status));
  });
}

function pathOf(url: string): string {
  return url.split('?', 1)[0]!;
}

/** Once the signal aborts: refuses new requests, finishes those in work, closes. */
export async function drainHttpServer(
  app: FastifyInstance,
  state: ServerState,
  signal: AbortSignal,
): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
  state.phase = 'draining';
  const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
  await app.close();
  clearTimeout(cut);
}
