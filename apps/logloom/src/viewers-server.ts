import { clientAddress } from '@logloom/auth';
import { registerConsole } from '@logloom/console';
import {
  guardRequests,
  registerHealth,
  serverOptions,
  type GuardContext,
  type Health,
} from '@logloom/runtime';
import {
  AggregatorRegistry,
  type MetricObjectWithValues,
  type MetricValue,
  type Telemetry,
} from '@logloom/telemetry';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ServiceThread } from './service-thread.ts';

/**
 * The server for viewers and operators: the console, health, metrics of all threads, and `/api`, which the api thread answers: a
 * search that takes long never holds up the live stream. The live tier attaches itself, or runs in processes of its own, whose metrics
 * `workerMetrics` gives.
 */
export async function createViewersServer(
  settings: GuardContext['settings'],
  telemetry: Telemetry,
  health: Health,
  threads: readonly ServiceThread[],
  api: ServiceThread,
  requestMs: number,
  workerMetrics: () => Promise<MetricObjectWithValues<MetricValue<string>>[][]> = async () => [],
): Promise<FastifyInstance> {
  const app = fastify(serverOptions(requestMs));
  guardRequests(app, { settings, telemetry, door: 'viewers' });
  registerHealth(app, health, async () => {
    const running = threads.filter((thread) => thread.isReady);
    const metrics = await Promise.all(
      running.map((thread) => thread.call({ name: 'metrics' }).catch(() => [])),
    );
    return AggregatorRegistry.aggregate([
      await telemetry.registry.getMetricsAsJSON(),
      ...metrics,
      ...(await workerMetrics()),
    ]).metrics();
  });
  // Bodies go on as they are; what is not said to be JSON is refused (415), as the API would.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
  app.removeContentTypeParser('text/plain');
  const addressOf = clientAddress(settings.LIVE_TRUSTED_PROXIES);
  const forward = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    try {
      const { status, headers, body } = await api.call({
        name: 'api',
        request: {
          method: request.method,
          url: request.url,
          address: addressOf(request.raw),
          authorization: request.headers.authorization,
          body: request.body as string | undefined,
        },
      });
      return await reply.code(status).headers(headers).send(body);
    } catch (error) {
      telemetry.logger.warn({ err: error }, 'the api thread did not answer');
      return reply
        .code(503)
        .header('retry-after', '1')
        .send({ error: { code: 'starting', message: 'the search is not ready; try again' } });
    }
  };
  app.get('/api/*', forward);
  app.post('/api/*', forward);
  app.delete('/api/*', forward);
  await registerConsole(app);
  return app;
}
