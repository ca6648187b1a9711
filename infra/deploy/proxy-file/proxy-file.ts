import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../deployment.ts';
import { runCommand } from '../run-command.ts';
import { nginxFormat } from './nginx-format.ts';
import type { ProxyFormat, Routes } from './routes.ts';
import { traefikFormat } from './traefik-format.ts';

const reloadLimitMs = 60_000;

/** The file by which a proxy knows where Logloom is. */
export class ProxyFile {
  readonly #file: string;
  readonly #format: ProxyFormat;
  /** Undefined: the proxy watches the file. */
  readonly #reload: string | undefined;
  readonly #settleMs: number;

  constructor({ proxy, settleSeconds }: Pick<Deployment, 'proxy' | 'settleSeconds'>) {
    this.#settleMs = settleSeconds * 1000;
    this.#format = 'nginx' in proxy ? nginxFormat : traefikFormat;
    this.#file = 'nginx' in proxy ? proxy.nginx.file : proxy.traefik.file;
    this.#reload = 'nginx' in proxy ? proxy.nginx.reload : undefined;
  }

  /** Throws if the file cannot be read, or lacks an upstream. */
  get routes(): Routes {
    try {
      return this.#format.read(readFileSync(this.#file, 'utf8'));
    } catch (error) {
      throw new Error(`${this.#file}: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * Writes the routes, and resolves when the proxy has taken them over: no proxy says when, so that is `settleSeconds` later. If it refuses
   * them, the file is as it was before, and this throws.
   */
  async switchTo(routes: Routes): Promise<void> {
    const before = readFileSync(this.#file, 'utf8');
    this.#replace(this.#format.write(before, routes));
    try {
      if (this.#reload !== undefined) await runCommand(this.#reload, {}, reloadLimitMs);
    } catch (error) {
      this.#replace(before);
      throw error;
    }
    await sleep(this.#settleMs);
  }

  /** The proxy sees the old text or the new one, never half of it. */
  #replace(text: string): void {
    const written = `${this.#file}.${randomBytes(4).toString('hex')}`;
    try {
      writeFileSync(written, text, { mode: statSync(this.#file).mode });
      renameSync(written, this.#file);
    } finally {
      rmSync(written, { force: true });
    }
  }
}
