import { closedPorts, temporaryFolder } from '@logloom/testing';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PortPool } from '../../infra/local/port-pool.ts';
import { answers } from '../../infra/local/readiness.ts';
import type { Stack } from '../../infra/local/running-stack.ts';
import { ServerProcess } from '../../infra/local/server-process.ts';

export const serviceNames = ['ingest', 'correlator', 'indexer', 'fanout'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The repository whose sources a service runs; a symbolic link may lead to another one by the time of its next start. */
export type SourcesOf = (service: ServiceName) => string;

const ownSources: SourcesOf = () => join(import.meta.dirname, '../..');

export type OwnSettings = Partial<Record<ServiceName, Record<string, string | undefined>>>;

/** The four services on a stack's engines, each a process of its own: started, killed, started again and, at the end, removed. */
export class Services implements AsyncDisposable {
  readonly stack: Stack;
  /** What every service has in its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly ingestUrl: string;
  readonly liveUrl: string;
  readonly apiUrl: string;
  readonly #folder: string;
  readonly #own: OwnSettings;
  readonly #sourcesOf: SourcesOf;
  readonly #ports: PortPool;
  readonly #first = new Map<ServiceName, ServerProcess>();
  readonly #all: ServerProcess[] = [];
  readonly #healthUrls = new Map<ServerProcess, string>();

  private constructor(
    stack: Stack,
    settings: Record<string, string>,
    own: OwnSettings,
    ports: PortPool,
    taken: number[],
    sourcesOf: SourcesOf,
  ) {
    const [ingestPort, livePort, ...healthPorts] = taken;
    this.stack = stack;
    this.#own = own;
    this.#sourcesOf = sourcesOf;
    this.#ports = ports;
    this.#folder = temporaryFolder('services').path;
    this.env = {
      ...stack.env,
      LOGLOOM_DATA: join(this.#folder, 'data'),
      INGEST_PORT: String(ingestPort),
      LIVE_PORT: String(livePort),
      ...closedPorts,
      LOG_LEVEL: 'warn',
      ...settings,
    };
    serviceNames.forEach((name, i) => this.#first.set(name, this.#process(name, healthPorts[i]!)));
    this.ingestUrl = `http://127.0.0.1:${ingestPort}`;
    this.liveUrl = `http://127.0.0.1:${livePort}`;
    this.apiUrl = this.#healthUrls.get(this.of('indexer'))!;
  }

  /**
   * Starts one of each and resolves when all are ready. Disposing ends them, but not the stack. `own`: what a service has instead of the
   * common settings; undefined: it does without.
   */
  static async start(
    stack: Stack,
    settings: Record<string, string> = {},
    own: OwnSettings = {},
    sourcesOf: SourcesOf = ownSources,
  ): Promise<Services> {
    const ports = new PortPool();
    const taken: number[] = [];
    for (let i = 0; i < 2 + serviceNames.length; i++) taken.push(await ports.take());
    const services = new Services(stack, settings, own, ports, taken, sourcesOf);
    try {
      await Promise.all(serviceNames.map((name) => services.of(name).start()));
    } catch (error) {
      await services[Symbol.asyncDispose]();
      throw error;
    }
    return services;
  }

  /** The service's first instance. */
  of(name: ServiceName): ServerProcess {
    return this.#first.get(name)!;
  }

  /**
   * One more instance, ready; of ingest on a port that nobody sends to, so that it shares in logs.raw only. `settings`: what it has instead
   * of the others'.
   */
  async another(
    name: 'ingest' | 'correlator' | 'indexer',
    settings: Record<string, string> = {},
  ): Promise<ServerProcess> {
    const instance = this.#process(name, await this.#ports.take(), { INGEST_PORT: '0', ...settings });
    await instance.start();
    return instance;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.apiUrl + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** How the service's readiness answers: the status, and the body as text. */
  async readiness(name: ServiceName): Promise<{ status: number; body: string }> {
    const response = await fetch(`${this.#healthUrls.get(this.of(name))!}/health/ready`);
    return { status: response.status, body: await response.text() };
  }

  /** The service's metrics as Prometheus gets them. */
  async metrics(name: ServiceName): Promise<string> {
    return (await fetch(`${this.#healthUrls.get(this.of(name))!}/metrics`)).text();
  }

  /** Whether every group has read and committed all there is, no request is still open and no rule waits for anything. */
  async isIdle(): Promise<boolean> {
    const { consumers } = await this.get<{ consumers: { lag: number }[] }>('/api/status');
    if (consumers.some(({ lag }) => lag > 0)) return false;
    const open = await this.#correlatorSum('logloom_correlator_open_groups');
    return open + (await this.#correlatorSum('logloom_correlator_open_waits')) === 0;
  }

  /** Whether the first correlator, just started on new topics, has put its rules into force on every partition. */
  async haveRules(): Promise<boolean> {
    const { topics } = await this.get<{ topics: Record<string, unknown[]> }>('/api/status');
    const partitions = topics['logs.events']?.length ?? Infinity;
    return (await this.#correlatorSum('logloom_correlator_rules_total')) >= partitions;
  }

  /** Drains the first instances by SIGTERM; returns how each ended, `exit code 0` when well. One that is down already is told as such. */
  async drain(): Promise<string[]> {
    return Promise.all(
      serviceNames.map(async (name) => {
        const service = this.of(name);
        const wasUp = service.pid !== undefined;
        await service.kill('SIGTERM');
        return `${wasUp ? name : `${name}, which was down`}: ${await service.ended}`;
      }),
    );
  }

  /** The end of what each service wrote to its log, warnings and worse; for the report of a failure. */
  get logs(): string {
    const tails = this.#all.map(({ name, logFile }) => {
      if (!existsSync(logFile)) return name;
      const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15);
      return [name, ...lines.map((line) => `  ${line.slice(0, 400)}`)].join('\n');
    });
    return tails.join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((service) => service.kill('SIGKILL')));
    await this.#ports.release();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Of all correlators that are up. */
  async #correlatorSum(metric: string): Promise<number> {
    let sum = 0;
    for (const [service, url] of this.#healthUrls) {
      if (service.pid === undefined || !service.name.startsWith('correlator')) continue;
      const metrics = await (await fetch(`${url}/metrics`)).text();
      for (const [, value] of metrics.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\d+)$`, 'gm')))
        sum += Number(value);
    }
    return sum;
  }

  #process(service: ServiceName, healthPort: number, settings: Record<string, string> = {}): ServerProcess {
    const instance = this.#all.filter(({ name }) => name.startsWith(service)).length + 1;
    const url = `http://127.0.0.1:${healthPort}`;
    const env = Object.entries({
      ...this.env,
      ...this.#own[service],
      ...settings,
      HEALTH_PORT: String(healthPort),
    }).filter(([, value]) => value !== undefined);
    const process_ = new ServerProcess({
      name: `${service}-${instance}`,
      port: healthPort,
      command: 'env',
      args: [
        ...env.map(([name, value]) => `${name}=${value}`),
        process.execPath,
        join(this.#sourcesOf(service), `services/${service}/src/main.ts`),
      ],
      logFile: join(this.#folder, `${service}-${instance}.log`),
      isReady: answers(`${url}/health/ready`),
      signal: new AbortController().signal,
    });
    this.#all.push(process_);
    this.#healthUrls.set(process_, url);
    return process_;
  }
}
