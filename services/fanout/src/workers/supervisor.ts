import type { Settings } from '../settings.ts';
import { AggregatorRegistry, type Telemetry, type TracingSettings } from '@logloom/telemetry';
import type { FastifyInstance } from 'fastify';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workerMetrics } from '../telemetry.ts';
import { claimPort } from './claim-port.ts';
import { Workers } from './workers.ts';

export interface SupervisorOptions {
  settings: Settings;
  telemetry: Telemetry;
  /** What the workers' tracing is started with. */
  tracing: TracingSettings | undefined;
  isOneOfMany: boolean;
  /** The name in the workers' own log and metrics. */
  service: string;
  /** Serves requests to LIVE_PORT that are not from viewers. */
  app: FastifyInstance;
  /** Aborts when everything has to drain and stop. */
  signal: AbortSignal;
  /** Called when viewers may connect, and again after onNotReady(). */
  onReady: () => void;
  /** Called when no worker accepts viewers for a while. */
  onNotReady?: () => void;
}

/** LIVE_WORKERS processes on LIVE_PORT, and the server behind them. */
export class Supervisor {
  readonly workers: Workers;
  readonly #options: SupervisorOptions;
  readonly #folder: string;
  #hasStarted = false;

  /** Takes the port. Rejects when something else has it. */
  static async open(options: SupervisorOptions): Promise<Supervisor> {
    const { HOST, LIVE_PORT } = options.settings;
    const port = await claimPort(HOST, LIVE_PORT);
    // The folder is for this user only, and so is the socket in it.
    return new Supervisor(options, port, await mkdtemp(join(tmpdir(), 'logloom-')));
  }

  private constructor(options: SupervisorOptions, port: number, folder: string) {
    const { settings, telemetry, tracing, isOneOfMany, service } = options;
    this.#options = options;
    this.#folder = folder;
    let isReady = false;
    this.workers = new Workers({
      count: settings.LIVE_WORKERS,
      logger: telemetry.logger,
      data: {
        service,
        settings: { ...settings, LIVE_PORT: port },
        tracing,
        isOneOfMany,
        supervisorSocket: this.#socket,
      },
      onReadyCount: (ready) => {
        if (isReady && ready === 0) options.onNotReady?.();
        else if (this.#hasStarted && !isReady && ready > 0) options.onReady();
        isReady = ready > 0;
      },
    });
    this.#registerMetrics();
  }

  /** Runs until the signal aborts and every worker has drained; SIGUSR2 restarts the workers one by one meanwhile. */
  async run(): Promise<void> {
    const { app, signal, telemetry, onReady } = this.#options;
    const restart = (): void =>
      void this.workers
        .restart()
        .catch((error: unknown) =>
          telemetry.logger.error({ err: error }, 'the workers were not all restarted'),
        );
    process.on('SIGUSR2', restart);
    try {
      await app.listen({ path: this.#socket });
      await this.workers.run(signal, () => {
        this.#hasStarted = true;
        onReady();
      });
    } finally {
      process.off('SIGUSR2', restart);
      await app.close();
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  /** The metrics of all workers and of this thread, each name once. */
  async metrics(): Promise<string> {
    const own = await this.#options.telemetry.registry.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([own, ...(await this.workers.metrics())]).metrics();
  }

  get #socket(): string {
    return join(this.#folder, 'supervisor.sock');
  }

  #registerMetrics(): void {
    const { registry } = this.#options.telemetry;
    workerMetrics.workers.observe(registry, (set) => set(this.workers.readyCount));
    workerMetrics.restarts.observe(registry, (set) => set(this.workers.restarts));
  }
}
