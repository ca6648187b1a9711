import { openAuthenticate } from '@logloom/auth';
import { SqliteEventLog } from '@logloom/event-log';
import {
  createLiveTier,
  listenBacklog,
  liveOptions,
  openLiveStores,
  drainProblem,
  registerOperatorsApi,
  Supervisor,
  type LiveNode,
} from '@logloom/fanout';
import { connectLog, type Health, type ServiceContext } from '@logloom/runtime';
import type { ServiceThread } from './service-thread.ts';
import { createViewersServer } from './viewers-server.ts';
import type { Settings } from '../settings.ts';

export interface ViewersContext extends ServiceContext<Settings> {
  health: Health;
  services: readonly ServiceThread[];
  /** Answer `/api`. */
  apis: readonly ServiceThread[];
}

/**
 * Serves viewers and operators on LIVE_PORT until the signal aborts and it has drained: with the live tier here, or, for more than one
 * of LIVE_WORKERS, in processes of its own that follow the same log.
 */
export async function runViewers(context: ViewersContext): Promise<void> {
  const { settings, telemetry, health, services, apis, signal, onReady } = context;
  const authenticate = await openAuthenticate(settings);
  await using connection = await connectLog(settings, {}, telemetry, signal);
  let supervisor: Supervisor | undefined;
  let node: LiveNode | undefined;
  const workerMetrics = async () => supervisor?.workers.metrics() ?? [];
  const app = await createViewersServer({
    telemetry,
    health,
    services,
    apis,
    settings,
    authenticate,
    workerMetrics,
  });
  registerOperatorsApi(app, { authenticate, settings, telemetry, node: () => node });
  health.checks = [...(health.checks ?? []), () => drainProblem(node)];
  if (settings.LIVE_WORKERS > 1) {
    supervisor = await Supervisor.open({
      settings,
      telemetry,
      tracing: context.tracingSettings,
      isOneOfMany: true,
      service: 'logloom',
      app,
      signal,
      onReady,
      onNotReady: () => (health.ready = false),
    });
    const { workers } = supervisor;
    node = workers;
    if (connection.log instanceof SqliteEventLog)
      connection.log.onAppended((topic) => workers.appended(topic));
    return await supervisor.run();
  }
  await using stores = openLiveStores(settings, telemetry.logger);
  const options = liveOptions(settings);
  const live = createLiveTier({ ...connection, stores, settings, telemetry, authenticate, options });
  live.attach(app);
  node = live;
  await app.listen({ host: settings.HOST, port: settings.LIVE_PORT, backlog: listenBacklog });
  try {
    await live.run(signal, onReady);
  } finally {
    await app.close();
  }
}
