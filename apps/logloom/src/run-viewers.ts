import { createLiveTier } from '@logloom/fanout';
import { connectLog, type Health, type ServiceContext } from '@logloom/runtime';
import type { ServiceThread } from './service-thread.ts';
import { createViewersServer } from './viewers-server.ts';

export interface ViewersContext extends ServiceContext {
  health: Health;
  /** The threads of the services; the last one answers `/api`. */
  services: readonly ServiceThread[];
}

/** Serves viewers and operators on LIVE_PORT, with the live tier, until the signal aborts and it has drained. */
export async function runViewers(context: ViewersContext): Promise<void> {
  const { settings, telemetry, health, services, signal, onReady } = context;
  await using connection = await connectLog(settings, {}, telemetry);
  const app = await createViewersServer(telemetry, health, services, services.at(-1)!);
  const live = createLiveTier({ ...connection, settings, telemetry });
  live.attach(app);
  await app.listen({ host: settings.HOST, port: settings.LIVE_PORT });
  try {
    await live.run(signal, onReady);
  } finally {
    await app.close();
  }
}
