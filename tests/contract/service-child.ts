import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** One service as a process of its own (service.child.ts), to be killed and started again. */
export class ServiceChild {
  readonly #name: string;
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;

  constructor(name: string, env: Record<string, string>) {
    this.#name = name;
    this.#env = env;
  }

  async start(): Promise<void> {
    const script = join(import.meta.dirname, 'service.child.ts');
    const child = spawn(process.execPath, [script, this.#name], {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const ended = once(child, 'exit').then(([code]) =>
      assert.fail(`${this.#name} ended with ${code} at the start`),
    );
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => {});
  }

  /** Gives the exit code; null after a kill. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    return (await exited)[0];
  }
}
