import { freePort, temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listens } from '../../local/readiness.ts';
import { ServerProcess } from '../../local/server-process.ts';
import type { Deployment } from '../deployment.ts';
import { nginxFormat } from '../proxy-file/nginx-format.ts';
import type { Routes } from '../proxy-file/routes.ts';
import { whyMissing } from '../../proxy/testing/proxy-kind.ts';
import { nginx } from '../../proxy/testing/proxy-kinds.ts';

/** Undefined if it is installed, else why a test with it is skipped. */
export const whyNoNginx = whyMissing(nginx);

/** The example of infra/proxy/nginx without TLS: viewers and senders each at a port of 127.0.0.1. */
export class PlainNginx implements AsyncDisposable {
  /** For a deployment's file. */
  readonly proxy: Deployment['proxy'];
  readonly public: Deployment['public'];
  readonly #folder: TemporaryFolder;
  readonly #server: ServerProcess;

  private constructor(folder: TemporaryFolder, ports: [viewers: number, ingest: number], routes: Routes) {
    this.#folder = folder;
    const file = join(folder.path, 'nginx.conf');
    const example = readFileSync(join(import.meta.dirname, '../../proxy/nginx/nginx.conf'), 'utf8');
    let next = 0;
    const plain = nginx
      .adapt(example, { port: 0, folder: folder.path })
      .replaceAll(/^\s*(?:ssl_|add_header Strict).*$/gm, '')
      .replaceAll(/(?<=^\s*)listen 127\.0\.0\.1:0 ssl/gm, () => `listen 127.0.0.1:${ports[next++]}`);
    writeFileSync(file, nginxFormat.write(plain, routes));
    const args = nginx.args(file);
    this.#server = new ServerProcess({
      name: 'nginx',
      port: ports[0],
      command: 'nginx',
      args,
      logFile: join(folder.path, 'log'),
      isReady: listens(ports[0]),
      signal: new AbortController().signal,
    });
    const check = `nginx -t ${args.map((arg) => `'${arg}'`).join(' ')}`;
    const reload = `${check} && kill -HUP "$(cat '${folder.path}/nginx.pid')"`;
    this.proxy = { nginx: { file, reload } };
    this.public = {
      viewersUrl: `http://127.0.0.1:${ports[0]}`,
      ingestUrl: `http://127.0.0.1:${ports[1]}`,
    };
  }

  static async start(routes: Routes): Promise<PlainNginx> {
    const ports: [number, number] = [await freePort(), await freePort()];
    const started = new PlainNginx(temporaryFolder('nginx'), ports, routes);
    await started.#server.start();
    return started;
  }

  /** What it has complained about. */
  get log(): string {
    return readFileSync(this.#server.logFile, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    this.#folder[Symbol.dispose]();
  }
}
