import { temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { PortPool } from '../../local/port-pool.ts';
import { answers } from '../../local/readiness.ts';
import { ServerProcess } from '../../local/server-process.ts';

const hasAlertmanager = spawnSync('prometheus-alertmanager', ['--version']).status === 0;

/** Why a test with an Alertmanager is skipped; false: it is not. */
export const withoutAlertmanager = hasAlertmanager
  ? false
  : 'prometheus-alertmanager is not installed (Debian: prometheus-alertmanager)';

/** An alert as Alertmanager's API returns it. */
export interface GettableAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
  generatorURL: string;
  status: { state: string };
}

/** Debian's Alertmanager, which posts what it is told to a webhook, soon. */
export class AlertmanagerServer implements AsyncDisposable {
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

  static async start(webhookUrl: string): Promise<AlertmanagerServer> {
    const folder = temporaryFolder('alertmanager');
    const config = {
      route: {
        receiver: 'hook',
        group_by: ['alertname'],
        group_wait: '100ms',
        group_interval: '200ms',
        repeat_interval: '1h',
      },
      receivers: [{ name: 'hook', webhook_configs: [{ url: webhookUrl, send_resolved: true }] }],
    };
    writeFileSync(join(folder.path, 'alertmanager.yml'), stringify(config));
    const ports = new PortPool();
    const port = await ports.take();
    const url = `http://127.0.0.1:${port}`;
    const flags = {
      'config.file': join(folder.path, 'alertmanager.yml'),
      'storage.path': join(folder.path, 'data'),
      'web.listen-address': `127.0.0.1:${port}`,
      // One alone has nobody to gossip with.
      'cluster.listen-address': '',
    };
    const server = new ServerProcess({
      name: 'alertmanager',
      port,
      command: 'prometheus-alertmanager',
      args: Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      logFile: join(folder.path, 'alertmanager.log'),
      isReady: answers(`${url}/-/ready`),
      signal: new AbortController().signal,
    });
    await server.start();
    return new AlertmanagerServer(url, server, ports, folder);
  }

  async alerts(): Promise<GettableAlert[]> {
    const response = await fetch(`${this.url}/api/v2/alerts`);
    return (await response.json()) as GettableAlert[];
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async startAgain(): Promise<void> {
    await this.#server.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await this.#ports.release();
    this.#folder[Symbol.dispose]();
  }
}
