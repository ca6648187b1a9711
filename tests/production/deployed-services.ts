import { closedPorts } from '@logloom/testing';
import { PlainReleases } from '../../infra/deploy/testing/plain-releases.ts';
import { PlainNginx } from '../../infra/deploy/testing/plain-nginx.ts';
import type { Stack } from '../../infra/local/running-stack.ts';
import { runDeploy, type DeployRun } from './run-deploy.ts';
import type { ReleaseName, ServiceName } from '../../infra/deploy/deployment.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const services = ['ingest', 'correlator', 'indexer', 'fanout'] as const;

/** Two releases of the four services on a stack's engines, as plain processes behind nginx, replaced by infra/deploy as an operator would. */
export class DeployedServices implements AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
  readonly nginx: PlainNginx;
  readonly releases: PlainReleases;
  readonly #cleanUp: AsyncDisposableStack;
  readonly #file: string;

  private constructor(
    env: Record<string, string>,
    nginx: PlainNginx,
    releases: PlainReleases,
    cleanUp: AsyncDisposableStack,
  ) {
    this.env = env;
    this.nginx = nginx;
    this.releases = releases;
    this.#cleanUp = cleanUp;
    this.#file = join(releases.path, 'deploy.yaml');
  }

  /** Nothing runs yet but nginx, whose configuration names blue. `settings` are those of both releases, `times` those of the deploys. */
  static async create(
    stack: Stack,
    settings: Record<string, string>,
    times: { readySeconds: number; smokeSeconds: number; drainSeconds: number; stopSeconds: number },
  ): Promise<DeployedServices> {
    await using cleanUp = new AsyncDisposableStack();
    const releases = cleanUp.use(await PlainReleases.create(root));
    const { ingest, indexer, fanout } = releases.releases.blue;
    const routes = { viewers: [fanout.url!], api: [indexer.healthUrl], ingest: [ingest.url!] };
    const nginx = cleanUp.use(await PlainNginx.start(routes));
    const env = { ...stack.env, ...closedPorts, LOG_LEVEL: 'warn', ...settings };
    const deployed = new DeployedServices(env, nginx, releases, cleanUp.move());
    for (const release of ['blue', 'green'] as const) {
      releases.configure(release, env);
      for (const service of services) deployed.configure(release, service);
    }
    const { proxy, public: addresses } = nginx;
    writeFileSync(deployed.#file, releases.deploymentText({ proxy, public: addresses, ...times }));
    return deployed;
  }

  /** The settings of what is started next as that instance. */
  configure(release: ReleaseName, service: ServiceName, more: Record<string, string> = {}): void {
    const { healthUrl, url } = this.releases.releases[release][service];
    const port = { ingest: 'INGEST_PORT', fanout: 'LIVE_PORT' }[service as string];
    this.releases.configure(`${release}-${service}`, {
      LOGLOOM_DATA: join(this.releases.path, 'data', `${release}-${service}`),
      HEALTH_PORT: new URL(healthUrl).port,
      ...(port === undefined ? {} : { [port]: new URL(url!).port }),
      ...more,
    });
  }

  /** Runs the program as an operator does. */
  deploy(kind: 'blue-green' | 'rolling', onLine: (line: string) => void): Promise<DeployRun> {
    return runDeploy([kind, this.#file], onLine);
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.nginx.public.viewersUrl + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Whether the services of that release have read and committed all there is, and no request is still open. */
  async isIdle(release: ReleaseName): Promise<boolean> {
    const { consumers } = await this.get<{ consumers: { lag: number }[] }>('/api/status');
    if (consumers.some(({ lag }) => lag > 0)) return false;
    const { healthUrl } = this.releases.releases[release].correlator;
    const metrics = await (await fetch(`${healthUrl}/metrics`)).text();
    const open = metrics.matchAll(/^logloom_correlator_open_(?:groups|waits)(?:\{.*\})? (\d+)$/gm);
    return [...open].every(([, count]) => count === '0');
  }

  /** How the processes of a release ended; undefined where one runs. */
  exitCodes(release: ReleaseName): Record<string, number | undefined> {
    return Object.fromEntries(services.map((service) => [service, this.releases.exitCode(release, service)]));
  }

  /** The end of what each has written. */
  get logs(): string {
    return (['blue', 'green'] as const)
      .flatMap((release) =>
        services.map(
          (service) => `${release} ${service}\n${this.releases.log(release, service).slice(-3_000)}`,
        ),
      )
      .join('\n');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanUp.disposeAsync();
  }
}
