import { registerConsole } from '@logloom/console';
import { forwardedClientAddress, type Authenticate } from '@logloom/auth';
import { CodedError, requestErrors } from '@logloom/errors';
import {
  createApiQueue,
  createPrincipalName,
  goneSignal,
  measureRequests,
  registerQueueMetrics,
  sendQueueFull,
  watchSending,
} from '@logloom/indexer/api-queue';
import {
  guardRequests,
  QueueFullError,
  registerHealth,
  registerMetrics,
  respondWithErrors,
  sendError,
  serverOptions,
  serveMetrics,
  type Health,
  type AdmissionSlot,
} from '@logloom/runtime';
import { registerApiDocs } from '@logloom/runtime/api-docs';
import type { Settings } from '../settings.ts';
import {
  AggregatorRegistry,
  type MetricObjectWithValues,
  type MetricValue,
  type Telemetry,
} from '@logloom/telemetry';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceThread } from './service-thread.ts';
import type { ApiResponse } from './thread-protocol.ts';

type ThreadMetrics = MetricObjectWithValues<MetricValue<string>>[];

const metricsWaitMs = 500;

export interface ViewersServerDeps {
  telemetry: Telemetry;
  health: Health;
  services: readonly ServiceThread[];
  /** The threads that answer `/api`. */
  apis: readonly ServiceThread[];
  settings: Settings;
  authenticate: Authenticate;
  /** Of the live tier's own processes. */
  workerMetrics: () => Promise<MetricObjectWithValues<MetricValue<string>>[][]>;
}

/**
 * The server for viewers and operators: the console, health, metrics of all threads, and `/api`, which the api threads answer: a search
 * that takes long never holds up the live stream. Admission control serves the principals in turn, one request per thread, and cancels
 * requests whose clients are gone. The live tier attaches itself, or runs in processes of its own.
 */
export async function createViewersServer({
  telemetry,
  health,
  services,
  apis,
  settings,
  authenticate,
  workerMetrics,
}: ViewersServerDeps): Promise<FastifyInstance> {
  const threads = [...services, ...apis];
  const queue = createApiQueue(apis.length);
  registerQueueMetrics(telemetry, queue);
  const lastMetrics = new Map<ServiceThread, ThreadMetrics>();
  /** A thread that is busy with a long search responds later: until then its last metrics are used. */
  const metricsOf = async (thread: ServiceThread): Promise<ThreadMetrics> => {
    const asked = thread.call({ name: 'metrics' }).catch(() => []);
    void asked.then((metrics) => lastMetrics.set(thread, metrics));
    const late = sleep(metricsWaitMs, undefined, { ref: false }).then(() => lastMetrics.get(thread) ?? asked);
    return Promise.race([asked, late]);
  };
  const principalName = createPrincipalName(authenticate, settings);
  const app = fastify(serverOptions(settings.LIVE_REQUEST_MS));
  respondWithErrors(app, (err) => telemetry.logger.error({ err }, 'a request failed'));
  guardRequests(app, { settings, telemetry, port: 'viewers' });
  registerHealth(app, health, telemetry.registry);
  const text = async (): Promise<string> => {
    const running = threads.filter((thread) => thread.isReady);
    const metrics = await Promise.all(running.map(metricsOf));
    return AggregatorRegistry.aggregate([
      await telemetry.registry.getMetricsAsJSON(),
      ...metrics,
      ...(await workerMetrics()),
    ]).metrics();
  };
  registerMetrics(app, text, { settings, telemetry });
  // Only the thread that answers a request knows its route.
  const routes = new WeakMap<FastifyRequest, string>();
  measureRequests(
    app,
    telemetry,
    (request) =>
      routes.get(request) ?? (request.routeOptions.url === '/api/*' ? undefined : request.routeOptions.url),
  );
  const metricsServer = await serveMetrics(text, { settings, telemetry });
  app.addHook('onClose', () => metricsServer[Symbol.asyncDispose]());
  // Bodies are forwarded unchanged; other types than JSON are refused (415), as by the API.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  app.removeContentTypeParser('text/plain');
  const addressOf = forwardedClientAddress(settings.LIVE_TRUSTED_PROXIES);
  const forward = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const gone = goneSignal(reply.raw);
    let slot: AdmissionSlot | undefined;
    try {
      const name = await principalName(request.raw);
      slot = await queue.enter(name, gone);
      const { thread, response } = await ask(request, gone);
      const { route, status, headers, body, stream } = response;
      if (route !== undefined) routes.set(request, route);
      const isStream = stream !== undefined;
      watchSending(reply.raw, slot, isStream ? 0 : Buffer.byteLength(body), { isStream });
      const sent = isStream
        ? Readable.from(rest(body, { thread, stream, name, gone }), { objectMode: false })
        : asBuffer(body);
      return await reply.code(status).headers(headers).send(sent);
    } catch (error) {
      slot?.sent();
      // The client is gone.
      if (gone.aborted) return reply.hijack();
      if (error instanceof QueueFullError) return sendQueueFull(reply, error);
      telemetry.logger.warn({ err: error }, 'the api thread did not answer');
      return sendError(
        reply,
        new CodedError(requestErrors, 'starting', 'the search is not ready; try again'),
      );
    }
  };
  /** The parts of a streamed response: each waits for its turn, and for the client to have taken the one before. */
  async function* rest(
    first: string | Uint8Array,
    {
      thread,
      stream,
      name,
      gone,
    }: { thread: ServiceThread; stream: number; name: string; gone: AbortSignal },
  ): AsyncGenerator<string | Buffer> {
    let isLast = false;
    try {
      if (first.length > 0) yield asBuffer(first);
      while (!isLast) {
        const slot = await queue.enterPatiently(name, gone);
        let bytes;
        try {
          ({ bytes, isLast } = await thread.call({ name: 'api-read', stream }));
        } finally {
          slot.sent();
        }
        if (bytes.length > 0) yield asBuffer(bytes);
      }
    } finally {
      if (!isLast) thread.call({ name: 'api-close', stream }).catch(() => {});
    }
  }
  const busy = new Map(apis.map((thread) => [thread, 0]));
  const ask = async (
    request: FastifyRequest,
    gone: AbortSignal,
  ): Promise<{ thread: ServiceThread; response: ApiResponse }> => {
    const [thread, count] = [...busy].reduce((least, each) => (each[1] < least[1] ? each : least));
    busy.set(thread, count + 1);
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    gone.addEventListener('abort', () => Atomics.store(cancelled, 0, 1), { once: true });
    const { method, url, headers, body } = request;
    const { authorization } = headers;
    const given = {
      method,
      url,
      authorization,
      address: addressOf(request.raw),
      body: body as string | undefined,
      cancelled,
    };
    const answer = thread.call({ name: 'api', request: given }, gone);
    // The thread is free when it has ended the work, not when the client no longer waits.
    const over = (): void => void busy.set(thread, busy.get(thread)! - 1);
    answer.then(over, over);
    return { thread, response: await answer };
  };
  registerApiDocs(app);
  app.get('/api/*', forward);
  app.post('/api/*', forward);
  app.delete('/api/*', forward);
  await registerConsole(app);
  return app;
}

/** Bytes that come from another thread are no Buffer any more. */
function asBuffer(body: string | Uint8Array): string | Buffer {
  return typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
