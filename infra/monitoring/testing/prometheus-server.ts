import { eventually, temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { PortPool } from '../../local/port-pool.ts';
import { answers } from '../../local/readiness.ts';
import { ServerProcess } from '../../local/server-process.ts';
import { ruleFiles } from '../prometheus/read-rules.ts';

const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

/** Why a test under a Prometheus is skipped; false: it is not. */
export const withoutPrometheus = hasPrometheus ? false : 'prometheus is not installed (Debian: prometheus)';

/** The same of a test that takes so long that it runs only when all do: `why` says what takes long. */
export function skipUnless(isFull: boolean, why: string): string | false {
  return isFull ? withoutPrometheus : `LOGLOOM_FULL=1 ${why}`;
}

/**
 * Rules for a test that cannot wait for minutes: every range and recorded window is looked at over 15 s, an offset is 15 s, as is the time
 * since an event after which an alert fires, and alerts fire at the second evaluation. Other thresholds, metrics and labels stay as they are.
 */
export function shortenRules(yaml: string): string {
  return yaml
    .replaceAll(/\[\d+[mhd]\]/g, '[15s]')
    .replaceAll(/offset \d+[mhd]/g, 'offset 15s')
    .replaceAll(/^( *time\(\) - .* >) \d+$/gm, '$1 15')
    .replaceAll(/^( *for:) .*$/gm, '$1 1s');
}

export interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

/** Debian's Prometheus with the shortened rules, which scrapes its targets each second. */
export class PrometheusServer implements AsyncDisposable {
  readonly url: string;
  readonly #server: ServerProcess;
  readonly #ports: PortPool;
  readonly #folder: TemporaryFolder;

  private constructor(url: string, server: ServerProcess, ports: PortPool, folder: TemporaryFolder) {
    this.url = url;
    this.#server = server;
    this.#ports = ports;
    this.#folder = folder;
  }

  /** `targets`: host and port of each /metrics. Resolves when each was asked. */
  static async start(...targets: string[]): Promise<PrometheusServer> {
    const folder = temporaryFolder('prometheus');
    const pathOf = (name: string): string => join(folder.path, name);
    for (const path of ruleFiles)
      writeFileSync(pathOf(basename(path)), shortenRules(readFileSync(path, 'utf8')));
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ruleFiles.map((path) => pathOf(basename(path))),
      scrape_configs: [{ job_name: 'logloom', static_configs: [{ targets }] }],
    };
    writeFileSync(pathOf('prometheus.yml'), stringify(config));
    const ports = new PortPool();
    const port = await ports.take();
    const url = `http://127.0.0.1:${port}`;
    const flags = {
      'config.file': pathOf('prometheus.yml'),
      'storage.tsdb.path': pathOf('data'),
      'web.listen-address': `127.0.0.1:${port}`,
    };
    const server = new ServerProcess({
      name: 'prometheus',
      port,
      command: 'prometheus',
      args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      logFile: pathOf('prometheus.log'),
      isReady: answers(`${url}/-/ready`),
      signal: new AbortController().signal,
    });
    await server.start();
    const prometheus = new PrometheusServer(url, server, ports, folder);
    // What is counted before the first scrape would be no increase.
    await eventually('each target was asked twice', async () => {
      const asked = await prometheus.query('count_over_time(up[15s]) > 1');
      return asked.length === targets.length;
    });
    return prometheus;
  }

  /** The names of the alerts that fire. */
  async firing(): Promise<Set<string>> {
    const { alerts } = await this.#get<{ alerts: { state: string; labels: Record<string, string> }[] }>(
      '/api/v1/alerts',
    );
    return new Set(
      alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels['alertname']!),
    );
  }

  /** The names of the alerts that have fired within the last seconds, and those that fire. */
  async firedWithin(seconds: number): Promise<Set<string>> {
    const window = `[${Math.max(1, Math.ceil(seconds))}s]`;
    const fired = await this.query(
      `count by (alertname) (last_over_time(ALERTS{alertstate="firing"}${window}))`,
    );
    return new Set(fired.map(({ metric }) => metric['alertname']!));
  }

  /** What an instant query returns. */
  async query(expression: string): Promise<Sample[]> {
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    return (await this.#get<{ result: Sample[] }>(path)).result;
  }

  /** Rules whose last evaluation failed, with the error. */
  async brokenRules(): Promise<string[]> {
    const { groups } = await this.#get<{
      groups: { rules: { name: string; health: string; lastError?: string }[] }[];
    }>('/api/v1/rules');
    return groups
      .flatMap(({ rules }) => rules)
      .filter(({ health }) => health === 'err')
      .map(({ name, lastError }) => `${name}: ${lastError}`);
  }

  async #get<Data>(path: string): Promise<Data> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { data: Data }).data;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await this.#ports.release();
    this.#folder[Symbol.dispose]();
  }
}
