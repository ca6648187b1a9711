import { temporaryFolder, type TemporaryFolder } from '@logloom/testing';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goTool } from '../../../local/go-tool.ts';
import { answers } from '../../../local/readiness.ts';
import { ServerProcess } from '../../../local/server-process.ts';

export interface LoginProxyOptions {
  port: number;
  /** Where Logloom's viewers' port is. */
  viewersUrl: string;
  issuer: string;
  clientSecret: string;
  redirectUri: string;
  /** How old a session gets before its tokens are exchanged for new ones. */
  refreshSeconds: number;
}

/** oauth2-proxy with the example's configuration. */
export class LoginProxy implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #server: ServerProcess;

  private constructor(folder: TemporaryFolder, program: string, port: number, file: string) {
    this.#folder = folder;
    this.#server = new ServerProcess({
      name: 'oauth2-proxy',
      port,
      command: program,
      args: ['--config', file],
      logFile: join(folder.path, 'log'),
      isReady: answers(`http://127.0.0.1:${port}/ping`),
      signal: new AbortController().signal,
    });
  }

  static async start(options: LoginProxyOptions): Promise<LoginProxy> {
    const program = await goTool('oauth2-proxy', new AbortController().signal);
    const folder = temporaryFolder('oauth2-proxy');
    writeFileSync(join(folder.path, 'client-secret'), options.clientSecret);
    writeFileSync(join(folder.path, 'cookie-secret'), randomBytes(32));
    const file = join(folder.path, 'oauth2-proxy.cfg');
    const text = readFileSync(join(import.meta.dirname, '../oauth2-proxy.cfg'), 'utf8')
      .replace('127.0.0.1:4180', `127.0.0.1:${options.port}`)
      .replace('http://127.0.0.1:4380', options.viewersUrl)
      .replace('https://login.example.com/', options.issuer)
      .replace('https://logs.example.com/oauth2/callback', options.redirectUri)
      .replace('cookie_refresh = "4m"', `cookie_refresh = "${options.refreshSeconds}s"`)
      .replaceAll('/etc/oauth2-proxy', folder.path);
    writeFileSync(file, text);
    const proxy = new LoginProxy(folder, program, options.port, file);
    await proxy.#server.start();
    return proxy;
  }

  /** What it has printed. */
  get log(): string {
    return readFileSync(this.#server.logFile, 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    this.#folder[Symbol.dispose]();
  }
}
