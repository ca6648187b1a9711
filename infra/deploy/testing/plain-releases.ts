import { temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { PortPool } from '../../local/port-pool.ts';
import { parseDeployment, releaseNames, type Deployment, type ReleaseName } from '../deployment.ts';

const script = join(import.meta.dirname, '../examples/plain-processes.sh');

type Addresses = Record<'ingest' | 'correlator' | 'indexer' | 'fanout', { healthUrl: string; url?: string }>;

/** Two releases as plain processes by examples/plain-processes.sh, on ports of their own; disposing ends what still runs. */
export class PlainReleases implements AsyncDisposable {
  readonly path: string;
  readonly releases: Record<ReleaseName, Addresses>;
  readonly #folder: TemporaryFolder;
  /** Clients of the release that serves may not be given the ports of the other one. */
  readonly #ports: PortPool;

  private constructor(folder: TemporaryFolder, ports: PortPool, releases: Record<ReleaseName, Addresses>) {
    this.#folder = folder;
    this.#ports = ports;
    this.path = folder.path;
    this.releases = releases;
  }

  /** `source` is the folder of a release: it has services/<service>/src/main.ts. */
  static async create(source: string): Promise<PlainReleases> {
    const folder = temporaryFolder('releases');
    const ports = new PortPool();
    const url = async (): Promise<string> => `http://127.0.0.1:${await ports.take()}`;
    const addresses = async (): Promise<Addresses> => ({
      ingest: { healthUrl: await url(), url: await url() },
      correlator: { healthUrl: await url() },
      indexer: { healthUrl: await url() },
      fanout: { healthUrl: await url(), url: await url() },
    });
    const created = new PlainReleases(folder, ports, { blue: await addresses(), green: await addresses() });
    for (const release of releaseNames) created.use(release, source);
    return created;
  }

  /** What is started next as that release. */
  use(release: ReleaseName, source: string): void {
    const link = join(this.path, release);
    rmSync(link, { force: true });
    symlinkSync(source, link);
  }

  /** The settings of what is started next: of a release, or of one of its services. */
  configure(name: ReleaseName | `${ReleaseName}-${keyof Addresses}`, settings: Record<string, string>): void {
    const lines = Object.entries(settings).map(
      ([key, value]) => `${key}='${value.replaceAll("'", `'\\''`)}'\n`,
    );
    writeFileSync(join(this.path, `${name}.env`), lines.join(''));
  }

  /** The text of a deployment's file. */
  deploymentText(more: Partial<Deployment> & Pick<Deployment, 'proxy' | 'public'>): string {
    const command = (action: string): string => `'${script}' ${action} '${this.path}'`;
    return stringify({ start: command('start'), stop: command('stop'), releases: this.releases, ...more });
  }

  deployment(more: Parameters<PlainReleases['deploymentText']>[0]): Deployment {
    return parseDeployment(this.deploymentText(more));
  }

  /** How an instance ended; undefined while it runs, or if it never ran. */
  exitCode(release: ReleaseName, service: keyof Addresses): number | undefined {
    const file = join(this.path, 'run', `${release}-${service}.exit`);
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
  }

  /** What an instance has printed. */
  log(release: ReleaseName, service: keyof Addresses): string {
    const file = join(this.path, 'run', `${release}-${service}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      releaseNames.flatMap((RELEASE) =>
        Object.keys(this.releases[RELEASE]).map((SERVICE) => {
          const variables = [`RELEASE=${RELEASE}`, `SERVICE=${SERVICE}`, `INSTANCE=${SERVICE}`];
          return promisify(execFile)('env', [...variables, script, 'stop', this.path], {
            timeout: 30_000,
          }).catch(() => {});
        }),
      ),
    );
    await this.#ports.release();
    this.#folder[Symbol.dispose]();
  }
}
