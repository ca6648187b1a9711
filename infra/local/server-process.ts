import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClassArchive } from './class-archive.ts';

export interface ServerSpec {
  name: string;
  port: number;
  command: string;
  args: readonly string[];
  /** Where the server's output is appended. */
  logFile: string;
  /** Asked again and again until it says true; it gets what the server has printed since this start. */
  isReady: (output: string) => Promise<boolean>;
  /** A JVM's archive of classes. */
  classes?: ClassArchive | undefined;
  signal: AbortSignal;
}

const startLimitMs = 120_000;
const stopGraceMs = 8_000;
const writingGraceMs = 60_000;

/** A server that can be killed and started again, on the same port and with the same data folder. */
export class ServerProcess {
  readonly name: string;
  readonly port: number;
  readonly logFile: string;
  readonly #spec: ServerSpec;
  #child: ChildProcess | undefined;
  #classes: ClassArchive | undefined;
  /** Settles with what ended the server. */
  #ended: Promise<string> = Promise.resolve('never started');

  constructor(spec: ServerSpec) {
    this.name = spec.name;
    this.port = spec.port;
    this.logFile = spec.logFile;
    this.#spec = spec;
    this.#classes = spec.classes;
  }

  /** Undefined while the server is down. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Settles with the exit code or signal when the server that runs now ends, for whatever reason. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** Resolves when the server is ready to serve. Rejects, with the end of its log, when it ends or takes longer than two minutes. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.name} is running`);
    mkdirSync(dirname(this.logFile), { recursive: true });
    const logStart = existsSync(this.logFile) ? statSync(this.logFile).size : 0;
    this.#spawn();
    const failure = await this.#waitUntilReady(logStart);
    if (failure === undefined) return;
    await this.kill();
    this.#spec.signal.throwIfAborted();
    const lastLines = this.#outputSince(logStart).trimEnd().split('\n').slice(-20).join('\n');
    throw new Error(`${this.name} did not start: ${failure}\n${lastLines}`);
  }

  /** Sends the signal and resolves when the process is gone. Nothing happens when it is down already. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** SIGTERM, and SIGKILL when that has not ended it within eight seconds: a minute, where it has something to write at its end. */
  async stop(): Promise<void> {
    const child = this.#child;
    const graceMs = this.#classes?.onEnd !== undefined ? writingGraceMs : stopGraceMs;
    const forced = setTimeout(() => child?.kill('SIGKILL'), graceMs);
    await this.kill('SIGTERM');
    clearTimeout(forced);
  }

  /** Stops it if it runs, then starts it: same port, same data. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #spawn(): void {
    const log = openSync(this.logFile, 'a');
    const classes = this.#classes;
    const options = classes?.options ?? [];
    const [command, ...args] = [...withParent(), this.#spec.command, ...options, ...this.#spec.args];
    // A session of its own: Ctrl-C in a terminal goes to the stack, which stops the servers in its own order.
    const child = spawn(command!, args, {
      cwd: dirname(this.logFile),
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#child = undefined;
        resolve(how);
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) => {
        if (classes?.onEnd !== undefined) {
          // 143 is a JVM's own exit code after SIGTERM.
          classes.onEnd(code === 0 || code === 143);
          // The next start shall be a quick one.
          this.#classes = undefined;
        }
        end(signal ?? `exit code ${code}`);
      });
    });
  }

  /** What went wrong, or undefined when the server is ready. */
  async #waitUntilReady(logStart: number): Promise<string | undefined> {
    const { isReady, signal } = this.#spec;
    const deadline = Date.now() + startLimitMs;
    while (Date.now() < deadline) {
      if (this.#child === undefined) return await this.#ended;
      if (signal.aborted) return 'aborted';
      if (await isReady(this.#outputSince(logStart))) return undefined;
      await delay(50);
    }
    return `not ready after ${startLimitMs / 1000} s`;
  }

  #outputSince(start: number): string {
    return readFileSync(this.logFile).subarray(start).toString('utf8');
  }
}

/** Starts all at once. When one fails the others are stopped and its error is thrown. */
export async function startTogether(servers: readonly ServerProcess[]): Promise<void> {
  const results = await Promise.allSettled(servers.map((server) => server.start()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  await Promise.all(servers.map((server) => server.stop()));
  throw failed.reason;
}

let parentGuard: string[] | undefined;

/** A prefix by which the kernel kills the server when the process that started it is gone, kill -9 included: no orphans. */
function withParent(): string[] {
  parentGuard ??= spawnSync('setpriv', ['--version']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  return parentGuard;
}
