import type { IngestKey } from '@logloom/auth';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { Doors, HttpDoorOptions } from './receive-request.ts';
import { registerElasticsearchDoor } from './elasticsearch/elasticsearch-receiver.ts';
import { asIngestError, IngestError } from '../errors.ts';
import { registerIngestDoor } from './json/json-receiver.ts';
import { registerLokiDoor } from './loki/loki-receiver.ts';
import { registerOtlpDoor } from './otlp/otlp-receiver.ts';
import { createOwnProducer } from '../producers/producer.ts';
import {
  errorOptions,
  ignoreExpectations,
  protectAnswers,
  refuseWithoutHost,
  sendNotReady,
} from '@logloom/runtime';

/** How often it is looked for requests that take too long to arrive. */
const lookMs = 5_000;
const challenge = 'Bearer realm="logloom", Basic realm="logloom", ApiKey';
const methodsByPath: Readonly<Record<string, string>> = {
  '/ingest': 'POST',
  '/v1/logs': 'POST',
  '/_bulk': 'POST, PUT',
  '/loki/api/v1/push': 'POST',
  '/ready': 'GET, HEAD',
  '/health/live': 'GET, HEAD',
  '/health/ready': 'GET, HEAD',
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request it is; undefined where no keys are asked for. */
    ingestKey: IngestKey | undefined;
  }
}

/** How a door words a request that failed as a whole. */
export type SendError = (error: IngestError, reply: FastifyReply) => FastifyReply;

/** The HTTP server for applications, with a door for each protocol, and its health. Not yet listening. */
export function createHttpDoor(options: HttpDoorOptions): FastifyInstance {
  const { settings, state } = options;
  const app = fastify({
    ...errorOptions,
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
  // Bodies are read by the doors: they count, unpack and limit them by rules of their own.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  handleErrors(app, options, (error, reply) =>
    reply.send({ error: { code: error.code, message: error.message } }),
  );
  app.setNotFoundHandler((request, reply) => {
    const allow = methodsByPath[request.url.split('?', 1)[0]!];
    if (allow === undefined) throw new IngestError('not-found');
    reply.header('allow', allow);
    throw new IngestError('method-not-allowed');
  });
  app.addHook('onSend', async (_request, reply) => {
    if (state.phase === 'draining') reply.header('connection', 'close');
  });
  app.decorateRequest('ingestKey', undefined);
  guardSenders(app, options);
  const doors: Doors = { ...options, ownProducer: createOwnProducer() };
  registerIngestDoor(app, doors);
  const scope = (register: (app: FastifyInstance, doors: Doors) => SendError | undefined): void =>
    void app.register(async (scoped) => {
      const sendError = register(scoped, doors);
      if (sendError !== undefined) handleErrors(scoped, options, sendError);
    });
  scope(registerOtlpDoor);
  scope(registerElasticsearchDoor);
  scope(registerLokiDoor);
  app.get('/health/live', async () => ({ status: 'live' }));
  app.get('/health/ready', async (_request, reply) => {
    if (state.phase !== 'ready') return sendNotReady(reply, { code: state.phase });
    const trouble = state.storage?.trouble;
    if (trouble !== undefined) return sendNotReady(reply, trouble);
    const problem = state.problem?.();
    if (problem !== undefined) return sendNotReady(reply, { code: 'degraded', problems: [problem] });
    return { status: 'ready' };
  });
  return app;
}

/** Refuses requests before their bodies are read: what browsers send for other pages, and senders without a key where one is needed. */
function guardSenders(app: FastifyInstance, { requests, guard }: HttpDoorOptions): void {
  app.addHook('onRequest', async (request) => {
    try {
      refuseWithoutHost(request);
      const code = requests?.guard.refusal(request.raw);
      if (code !== undefined) throw new IngestError(code);
      request.ingestKey = guard?.identify(request.url, request.headers);
    } catch (error) {
      // What is still to come is thrown away, so that the client gets to read the answer.
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
  protectAnswers(app);
}

function handleErrors(app: FastifyInstance, { metrics, logger }: HttpDoorOptions, send: SendError): void {
  app.setErrorHandler((error, _request, reply) => {
    const known = asIngestError(error as Error);
    if (known.code === 'internal') logger.error({ err: error }, 'a request failed');
    metrics.failedRequests.inc({ code: known.code });
    if (known.retriable) reply.header('retry-after', String(known.retryAfterSeconds));
    if (known.code === 'unauthorized') reply.header('www-authenticate', challenge);
    return send(known, reply.code(known.status));
  });
}
