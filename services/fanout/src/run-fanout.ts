import { checkExposure, openAuthenticate } from '@logloom/auth';
import {
  connectLog,
  guardRequests,
  registerHealth,
  registerMetrics,
  respondWithErrors,
  serverOptions,
  type RunService,
  type ServiceContext,
} from '@logloom/runtime';
import type { Telemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import { listenBacklog } from './workers/listen-backlog.ts';
import { liveOptions } from './server/live-options.ts';
import { openLiveStores } from './server/live-stores.ts';
import { createLiveTier } from './server/create-live-tier.ts';
import { drainProblem } from './server/live-node.ts';
import { registerOperatorsApi } from './server/operators-api.ts';
import { Supervisor } from './workers/supervisor.ts';
import type { Settings } from './settings.ts';

export interface Fanout {
  /** Serves live viewers on LIVE_PORT, with health and metrics beside, until the signal aborts and every viewer has left. */
  run: RunService<Settings>;
  /** Prometheus text, of all processes. */
  metrics: (telemetry: Telemetry) => Promise<string>;
}

/** The live tier as a service of its own: in this process, or in LIVE_WORKERS processes under it. */
export function createFanout(): Fanout {
  let supervisor: Supervisor | undefined;
  const metrics = (telemetry: Telemetry): Promise<string> =>
    supervisor?.metrics() ?? telemetry.registry.metrics();
  const run: RunService<Settings> = async (context) => {
    checkExposure(context.settings);
    if (context.settings.LIVE_WORKERS === 1) return runHere(context);
    const { tracingSettings: tracing, telemetry } = context;
    // Problems with the keys are reported once, not by each worker.
    const authenticate = await openAuthenticate(context.settings);
    const app = fastify(serverOptions(context.settings.LIVE_REQUEST_MS));
    respondWithErrors(app, (err) => telemetry.logger.error({ err }, 'a request failed'));
    guardRequests(app, { settings: context.settings, telemetry, port: 'live' });
    const draining = (): string | undefined => drainProblem(supervisor?.workers);
    const health = { ready: false, checks: [draining] };
    context.checks?.add(draining);
    registerHealth(app, health);
    registerMetrics(app, () => metrics(telemetry), context);
    const node = () => supervisor?.workers;
    registerOperatorsApi(app, { node, authenticate, settings: context.settings, telemetry });
    supervisor = await Supervisor.open({
      ...context,
      tracing,
      isOneOfMany: false,
      service: 'fanout',
      app,
      onReady: () => {
        health.ready = true;
        context.onReady();
      },
      onNotReady: () => {
        health.ready = false;
        context.onNotReady?.();
      },
    });
    context.signal.addEventListener('abort', () => (health.ready = false));
    await supervisor.run();
  };
  return { run, metrics };
}

async function runHere({
  settings,
  telemetry,
  signal,
  onReady,
  checks,
}: ServiceContext<Settings>): Promise<void> {
  const authenticate = await openAuthenticate(settings);
  await using connection = await connectLog(settings, {}, telemetry, signal);
  await using stores = openLiveStores(settings, telemetry.logger);
  const app = fastify(serverOptions(settings.LIVE_REQUEST_MS));
  respondWithErrors(app, (err) => telemetry.logger.error({ err }, 'a request failed'));
  guardRequests(app, { settings, telemetry, port: 'live' });
  const draining = (): string | undefined => drainProblem(tier);
  const health = { ready: false, checks: [connection.problem, draining] };
  checks?.add(connection.problem);
  checks?.add(draining);
  registerHealth(app, health);
  registerMetrics(app, () => telemetry.registry.metrics(), { settings, telemetry });
  const options = liveOptions(settings);
  const tier = createLiveTier({ ...connection, stores, settings, telemetry, authenticate, options });
  tier.attach(app);
  registerOperatorsApi(app, { node: () => tier, authenticate, settings, telemetry });
  signal.addEventListener('abort', () => (health.ready = false));
  try {
    await app.listen({ host: settings.HOST, port: settings.LIVE_PORT, backlog: listenBacklog });
    await tier.run(signal, () => {
      health.ready = true;
      onReady();
    });
  } finally {
    await app.close();
  }
}
