import { eventually, freePort, temporaryFolder } from '@logloom/testing';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { ruleFiles } from '../prometheus/read-rules.ts';

export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

/**
 * Rules for a test that cannot wait for minutes: every range and recorded window is looked at over 15 s, an offset of an hour is 15 s, and
 * alerts fire at the second evaluation. Thresholds, metrics and labels stay as they are.
 */
export function shortenRules(yaml: string): string {
  return yaml
    .replaceAll(/\[\d+[mhd]\]/g, '[15s]')
    .replaceAll(/offset \d+h/g, 'offset 15s')
    .replaceAll(/^( *for:) .*$/gm, '$1 1s');
}

export interface Sample {
  metric: Record<string, string>;
  value: [number, string];
}

/** Debian's Prometheus with the shortened rules, which scrapes one address each second. */
export class PrometheusServer implements AsyncDisposable {
  readonly url: string;
  readonly #end: () => Promise<void>;

  private constructor(url: string, end: () => Promise<void>) {
    this.url = url;
    this.#end = end;
  }

  /** `target`: host and port with /metrics. */
  static async start(target: string): Promise<PrometheusServer> {
    const folder = temporaryFolder('prometheus');
    for (const path of ruleFiles)
      writeFileSync(join(folder.path, basename(path)), shortenRules(readFileSync(path, 'utf8')));
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ruleFiles.map((path) => join(folder.path, basename(path))),
      scrape_configs: [{ job_name: 'logloom', static_configs: [{ targets: [target] }] }],
    };
    writeFileSync(join(folder.path, 'prometheus.yml'), stringify(config));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const flags = {
      'config.file': join(folder.path, 'prometheus.yml'),
      'storage.tsdb.path': join(folder.path, 'data'),
      'web.listen-address': `127.0.0.1:${port}`,
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (data: Buffer) => (log += data.toString()));
    await eventually('Prometheus is ready', async () => {
      if (child.exitCode !== null) throw new Error(log);
      return (await fetch(`${url}/-/ready`)).ok;
    });
    return new PrometheusServer(url, async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      folder[Symbol.dispose]();
    });
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}
