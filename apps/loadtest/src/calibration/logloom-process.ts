import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const startWithinMs = 60_000;

/** The command line that starts a server. */
export interface Program {
  main: string;
  environment: Readonly<Record<string, string | undefined>>;
}

export interface ServerOptions {
  /** Environment variables. */
  settings?: Record<string, string>;
  /** Gives it a disk of its own of this size, in memory; needs Linux with user namespaces. */
  diskMiB?: number;
}

/** A `logloom up` of its own, with a data folder that goes with it. */
export class LogloomProcess implements AsyncDisposable {
  readonly viewersPort: number;
  readonly ingestPort: number;
  readonly folder = mkdtempSync(join(tmpdir(), 'logloom-calibrate-'));
  readonly #program: Program;
  readonly #settings: Record<string, string>;
  readonly #diskMiB: number | undefined;
  #child: ChildProcess | undefined;

  private constructor(
    program: Program,
    [viewersPort, ingestPort]: readonly [number, number],
    { settings = {}, diskMiB }: ServerOptions,
  ) {
    this.#program = program;
    this.viewersPort = viewersPort;
    this.ingestPort = ingestPort;
    this.#settings = settings;
    this.#diskMiB = diskMiB;
  }

  /** Resolves when the server is ready. */
  static async open(program: Program, options: ServerOptions = {}): Promise<LogloomProcess> {
    const server = new LogloomProcess(program, [await freePort(), await freePort()], options);
    await server.start();
    return server;
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.viewersPort}/metrics`;
  }

  async start(): Promise<void> {
    const { command, args } = this.#command();
    const child = spawn(command, args, {
      env: {
        ...this.#program.environment,
        LOGLOOM_DATA: join(this.folder, 'data'),
        HOST: '127.0.0.1',
        LIVE_PORT: String(this.viewersPort),
        INGEST_PORT: String(this.ingestPort),
        SYSLOG_PORT: String(await freePort()),
        ...this.#settings,
      },
      // A .env file where the command runs is not for it.
      cwd: this.folder,
      stdio: 'ignore',
    });
    this.#child = child;
    const untilMs = performance.now() + startWithinMs;
    while (!(await isReady(this.viewersPort))) {
      if (child.exitCode !== null) throw new Error(`logloom up ended with ${child.exitCode}`);
      if (performance.now() > untilMs) throw new Error('logloom up was not ready within a minute');
      await sleep(100);
    }
  }

  /** A file of the data folder, also where that is a disk of its own. */
  path(name: string): string {
    const inside = join(this.folder, name);
    return this.#diskMiB === undefined ? inside : `/proc/${this.#child!.pid}/root${inside}`;
  }

  #command(): { command: string; args: string[] } {
    const node = [process.execPath, this.#program.main, 'up'];
    if (this.#diskMiB === undefined) return { command: node[0]!, args: node.slice(1) };
    const mount = `mount -t tmpfs -o size=${this.#diskMiB}m tmpfs "$0" && exec "$@"`;
    return { command: 'unshare', args: ['-rm', 'sh', '-c', mount, this.folder, ...node] };
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
