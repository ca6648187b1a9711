import { freePort, temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { goTool } from '../../local/go-tool.ts';
import { ServerProcess } from '../../local/server-process.ts';
import { whyMissing } from '../../proxy/testing/proxy-kind.ts';
import { traefik } from '../../proxy/testing/traefik-kind.ts';
import type { Deployment } from '../deployment.ts';
import type { Routes } from '../proxy-file/routes.ts';
import { traefikFormat } from '../proxy-file/traefik-format.ts';

/** Undefined if a test may start it, else why a test with it is skipped. */
export const whyNoTraefik = whyMissing(traefik);

const examples = join(import.meta.dirname, '../../proxy/traefik');

/** The example of infra/proxy/traefik without TLS, at a port of this machine: viewers at 127.0.0.1, senders at localhost. */
export class PlainTraefik implements AsyncDisposable {
  /** For a deployment's file. */
  readonly proxy: Deployment['proxy'];
  readonly public: Deployment['public'];
  readonly #folder: TemporaryFolder;
  readonly #server: ServerProcess;

  private constructor(folder: TemporaryFolder, program: string, port: number, routes: Routes) {
    this.#folder = folder;
    const [configuration, file] = [join(folder.path, 'traefik.yaml'), join(folder.path, 'logloom.yaml')];
    const { certificatesResolvers: _, ...example } = parse(
      readFileSync(join(examples, 'traefik.yaml'), 'utf8'),
    ) as { providers: { file: object }; certificatesResolvers: object };
    const { file: provider } = example.providers;
    writeFileSync(
      configuration,
      stringify({
        ...example,
        entryPoints: { web: { address: `127.0.0.1:${port}` } },
        providers: { file: { ...provider, filename: file } },
      }),
    );
    const plain = readFileSync(join(examples, 'logloom.yaml'), 'utf8')
      .replaceAll(/^ *tls: \{.*\}\n/gm, '')
      // All clients of a test have the same address.
      .replaceAll(/rateLimit: \{.*\}/g, 'rateLimit: { average: 0 }')
      .replaceAll('logs.example.com', '127.0.0.1')
      .replaceAll('ingest.example.com', 'localhost');
    writeFileSync(file, traefikFormat.write(plain, routes));
    this.proxy = { traefik: { file } };
    this.public = { viewersUrl: `http://127.0.0.1:${port}`, ingestUrl: `http://localhost:${port}` };
    this.#server = new ServerProcess({
      name: 'traefik',
      port,
      command: program,
      args: traefik.args(configuration),
      logFile: join(folder.path, 'log'),
      // It listens before it has read its routes; whether something is behind them does not matter.
      isReady: () =>
        fetch(this.public.viewersUrl).then(
          ({ status }) => status !== 404,
          () => false,
        ),
      signal: new AbortController().signal,
    });
  }

  static async start(routes: Routes): Promise<PlainTraefik> {
    const program = await goTool('traefik', new AbortController().signal);
    const started = new PlainTraefik(temporaryFolder('traefik'), program, await freePort(), routes);
    await started.#server.start();
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    this.#folder[Symbol.dispose]();
  }
}
