import type { TargetKind } from '@logloom/loadtest';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Servers that are measured beside each other: a few lines each, with the real library; `logloom` is the live tier of this tree alone. */
export type RivalName =
  | 'logloom'
  | 'ws'
  | 'socket.io'
  | 'socket.io with recovery'
  | 'sse'
  | 'centrifuge'
  | 'centrifuge with history';

interface Plan {
  kind: TargetKind;
  file: string;
  options: string[];
  path: string;
}

const plans: Record<RivalName, Plan> = {
  logloom: { kind: 'logloom', file: '../server.ts', options: [], path: '/' },
  ws: { kind: 'ws', file: 'ws-server.ts', options: [], path: '/' },
  'socket.io': { kind: 'socket.io', file: 'socket-io-server.ts', options: [], path: '/' },
  'socket.io with recovery': {
    kind: 'socket.io',
    file: 'socket-io-server.ts',
    options: ['--recovery'],
    path: '/',
  },
  sse: { kind: 'sse', file: 'sse-server.ts', options: [], path: '/' },
  centrifuge: { kind: 'centrifugo', file: 'centrifuge-server', options: [], path: '/ws' },
  'centrifuge with history': {
    kind: 'centrifugo',
    file: 'centrifuge-server',
    options: ['-history', '100000'],
    path: '/ws',
  },
};

/** A rival in a process of its own. It ends when it is disposed of. */
export class Rival implements AsyncDisposable {
  readonly name: RivalName;
  readonly kind: TargetKind;
  readonly port: number;
  readonly path: string;
  readonly #child: ChildProcess;

  /** `prefix`: a program before it, such as `taskset`. Throws when it does not start. */
  static async start(name: RivalName, prefix: readonly string[] = []): Promise<Rival> {
    const { kind, file, options, path } = plans[name];
    const port = await unusedPort();
    const address = `127.0.0.1:${port}`;
    const command =
      file === 'centrifuge-server'
        ? [centrifugeProgram(), '-addr', address, ...options]
        : [process.execPath, join(import.meta.dirname, file), address, ...options];
    const [program, ...args] = [...prefix, ...command];
    const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.on('data', (data: Buffer) => (complaints = (complaints + data.toString()).slice(-2_000)));
    const rival = new Rival(name, { kind, path, port }, child);
    while (!(await responds(`http://${address}/publish`))) {
      if (child.exitCode !== null) throw new Error(`${name} did not start: ${complaints}`);
      await sleep(50);
    }
    return rival;
  }

  private constructor(
    name: RivalName,
    { kind, path, port }: { kind: TargetKind; path: string; port: number },
    child: ChildProcess,
  ) {
    this.name = name;
    this.kind = kind;
    this.path = path;
    this.port = port;
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}${this.path}`;
  }

  get publishUrl(): string {
    // Logloom's sender knows the path.
    return `http://127.0.0.1:${this.port}${this.kind === 'logloom' ? '/' : '/publish'}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** Whether there is a Go compiler, which the centrifuge server needs. */
export function hasGo(): boolean {
  return spawnSync('go', ['version']).status === 0;
}

/** Builds the server where it was not built yet; takes half a minute then. */
function centrifugeProgram(): string {
  const folder = join(import.meta.dirname, 'centrifuge-server');
  const program = join(folder, 'centrifuge-server');
  const { status, stderr, error } = spawnSync('go', ['build', '-o', program, '.'], { cwd: folder });
  if (status !== 0) throw new Error(`centrifuge was not built: ${error?.message ?? stderr.toString()}`);
  return program;
}

async function responds(url: string): Promise<boolean> {
  try {
    await (await fetch(url, { method: 'POST', body: '' })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
