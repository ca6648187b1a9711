import { clientAddress, openAuthenticate } from '@logloom/auth';
import { SqliteEventLog } from '@logloom/event-log';
import { connectLog, guardRequests, handleErrors, RouteTable, serverOptions } from '@logloom/runtime';
import type { Telemetry } from '@logloom/telemetry';
import fastify from 'fastify';
import { forwardRequests } from './forward-requests.ts';
import { listenBacklog } from './listen-backlog.ts';
import { liveOptions } from '../server/live-options.ts';
import { openLiveStores } from '../server/live-stores.ts';
import { createLiveTier } from '../server/create-live-tier.ts';
import type { LiveTier } from '../server/live-tier.ts';
import type { WorkerData } from './worker-protocol.ts';

export interface WorkerContext {
  telemetry: Telemetry;
  /** Aborts when the worker has to drain and exit. */
  signal: AbortSignal;
  /** Called once, when it accepts viewers. */
  onReady: () => void;
  /** Receives the function that tells the worker's log that another process has appended. */
  onLog: (announce: (topic: string) => void) => void;
  /** Gets its live tier. */
  onTier: (tier: LiveTier) => void;
}

/** Serves viewers on the port that all workers share, until the signal aborts and every viewer has left. */
export async function runWorker(
  { settings, supervisorSocket }: WorkerData,
  { telemetry, signal, onReady, onLog, onTier }: WorkerContext,
): Promise<void> {
  const authenticate = await openAuthenticate(settings);
  await using connection = await connectLog(settings, {}, telemetry, signal);
  await using stores = openLiveStores(settings, telemetry.logger);
  const { log } = connection;
  if (log instanceof SqliteEventLog) onLog((topic) => log.announce(topic));
  const app = fastify(serverOptions(settings.LIVE_REQUEST_MS));
  handleErrors(app, (err) => telemetry.logger.error({ err }, 'a request failed'));
  const routes = new RouteTable(app);
  guardRequests(app, { settings, telemetry, port: 'live' });
  const options = { ...liveOptions(settings), othersServe: true };
  const tier = createLiveTier({ ...connection, stores, settings, telemetry, authenticate, options });
  tier.attach(app);
  onTier(tier);
  forwardRequests(app, {
    socketPath: supervisorSocket,
    addressOf: clientAddress(settings.LIVE_TRUSTED_PROXIES),
    routes,
  });
  const failed = new AbortController();
  try {
    await app.ready();
    // The kernel hands a share of the connections to every process that listens: not before they can be served.
    await tier.run(AbortSignal.any([signal, failed.signal]), () => {
      const { HOST: host, LIVE_PORT: port } = settings;
      const address = { host, port, reusePort: true, backlog: listenBacklog };
      app.listen(address).then(onReady, (error: unknown) => failed.abort(error));
    });
    if (failed.signal.aborted) throw failed.signal.reason;
  } finally {
    await app.close();
  }
}
