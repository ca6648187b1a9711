import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Peer, Tools } from './peers.ts';

export interface Load {
  /** Connections, in so many load clients: a {{n}} in a client's arguments counts in each of them. */
  connections: number;
  clients?: number;
  /** Events a second at the start; each step of 4 s has a fourth more when it ramps. */
  rate: number;
  ramps?: boolean;
  seconds: number;
}

/** One second of the clients, added up. */
interface Second {
  unix: number;
  records: number;
  p99: number;
}

export interface Result {
  peer: string;
  open: number;
  failed: number;
  closed: number;
  connectSeconds: number;
  /** Kilobytes of resident memory a connection, above the empty server. */
  idleKb: number;
  loadedKb: number;
  events: number;
  /** Deliveries that were due and did not come. */
  lost: number;
  deliveriesPerSecond: number;
  /** The best three seconds. */
  peakPerSecond: number;
  /** The last step that was kept up: p99 below 1 s, 90 % delivered. */
  lastKept: { perSecond: number; p99Ms: number } | undefined;
  p50Ms: number;
  p99Ms: number;
  /** Of one core. */
  serverCpu: number;
  serverCpuMsAnEvent: number;
  clientCpu: number;
  /** Cores that other programs used meanwhile. */
  othersCpu: number;
}

const stepSeconds = 4;
const hertz = 100;

/** One run of one server on core 0, with load client and publisher on core 1. */
export async function measure(tools: Tools, peer: Peer, load: Load): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'live-bench-'));
  const children: ChildProcess[] = [];
  const start = (core: number, command: string[], cwd?: string): ChildProcess => {
    const child = spawn('taskset', ['-c', String(core), ...command], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  };
  try {
    const server = start(0, peer.command, peer.cwd);
    server.stdout!.resume();
    let complaints = '';
    server
      .stderr!.setEncoding('utf8')
      .on('data', (text: string) => (complaints = (complaints + text).slice(-2000)));
    if (!(await listening(peer.port, server))) throw new Error(`${peer.name} did not start: ${complaints}`);
    await sleep(2000);
    const empty = residentKb(server.pid!);

    const count = load.clients ?? 1;
    const rows: Second[] = [];
    const seconds = load.seconds + 40;
    const clients = Array.from({ length: count }, (_, i) => {
      const { clientArgs, liveUrl } = peer;
      const conns = String(load.connections / count);
      const options = [
        '--conns',
        conns,
        '--duration',
        `${seconds}s`,
        '--interval',
        '1s',
        '--seq-key',
        '"n":',
      ];
      const ready = join(folder, `ready-${i}`);
      const client = start(1, [
        tools.wsload,
        '--url',
        liveUrl,
        '--connect-rate',
        '2000',
        ...options,
        '--ready-file',
        ready,
        ...clientArgs,
      ]);
      createInterface(client.stderr!).on('line', (line) => {
        if (!line.startsWith('{')) return;
        const { unix, records, p99_us } = JSON.parse(line) as {
          unix: number;
          records: number;
          p99_us: number;
        };
        rows.push({ unix, records, p99: p99_us });
      });
      return { client, ready };
    });
    for (const { client, ready } of clients)
      while (!existsSync(ready) && client.exitCode === null) await sleep(50);
    await sleep(2000);
    const idle = residentKb(server.pid!);
    const before = { server: cpuSeconds(server.pid!), all: machineSeconds(), at: Date.now() };
    const publisher = start(1, [
      tools.publish,
      '--url',
      peer.publishUrl,
      '--rate',
      String(load.rate),
      '--duration',
      `${load.seconds}s`,
      ...(load.ramps === true ? ['--step', `${stepSeconds}s`] : []),
    ]);
    const published = (await readAll(publisher)).trim().split('\n');
    const wall = (Date.now() - before.at) / 1000;
    const usedByServer = cpuSeconds(server.pid!) - before.server;
    const usedByAll = machineSeconds() - before.all;
    await sleep(3000);
    const loaded = residentKb(server.pid!);
    const outputs = await Promise.all(
      clients.map(async ({ client }) => {
        const output = readAll(client);
        client.kill('SIGTERM');
        return JSON.parse(await output) as Record<string, number>;
      }),
    );
    const sum = (field: string): number => outputs.reduce((total, output) => total + (output[field] ?? 0), 0);
    const worst = (field: string): number => Math.max(...outputs.map((output) => output[field]!));
    const { total } = JSON.parse(published.pop() ?? '') as { total: number };
    const perSecond = bySecond(rows);
    const clientCpu = sum('client_cpu');
    return {
      peer: peer.name,
      open: sum('open'),
      failed: sum('failed'),
      closed: sum('closed'),
      connectSeconds: worst('connect_s'),
      idleKb: (idle - empty) / load.connections,
      loadedKb: (loaded - empty) / load.connections,
      events: total,
      lost: total * load.connections - sum('records'),
      deliveriesPerSecond: sum('records') / wall,
      peakPerSecond: peak(perSecond),
      lastKept: lastKept(published, perSecond, load.connections),
      p50Ms: worst('p50_us') / 1000,
      p99Ms: worst('p99_us') / 1000,
      serverCpu: usedByServer / wall,
      serverCpuMsAnEvent: (usedByServer * 1000) / total,
      clientCpu,
      othersCpu: usedByAll / wall - usedByServer / wall - clientCpu,
    };
  } finally {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await once(child, 'exit');
      clearTimeout(timer);
    }
    rmSync(folder, { recursive: true });
  }
}

/** Seconds of several clients side by side, in order. */
function bySecond(rows: readonly Second[]): Second[] {
  const seconds = new Map<number, Second>();
  for (const { unix, records, p99 } of rows) {
    const key = Math.floor(unix);
    const second = seconds.get(key) ?? { unix: key, records: 0, p99: 0 };
    second.records += records;
    second.p99 = Math.max(second.p99, p99);
    seconds.set(key, second);
  }
  return [...seconds.values()].sort((a, b) => a.unix - b.unix);
}

function peak(seconds: readonly Second[]): number {
  const best = seconds
    .map(({ records }) => records)
    .sort((a, b) => b - a)
    .slice(0, 3);
  return best.reduce((total, records) => total + records, 0) / Math.max(1, best.length);
}

function lastKept(
  steps: readonly string[],
  seconds: readonly Second[],
  connections: number,
): Result['lastKept'] {
  let kept: Result['lastKept'];
  for (const line of steps) {
    const { from, to, rate } = JSON.parse(line) as { from: number; to: number; rate: number };
    const inside = seconds.filter(({ unix }) => unix > from + 1 && unix <= to);
    if (to - from < stepSeconds - 0.1 || inside.length === 0) continue;
    const perSecond = inside.reduce((total, { records }) => total + records, 0) / inside.length;
    const p99Ms = Math.max(...inside.map(({ p99 }) => p99)) / 1000;
    if (p99Ms < 1000 && perSecond > 0.9 * rate * connections) kept = { perSecond, p99Ms };
  }
  return kept;
}

/** Whether the server takes connections; false when it ends instead. */
export async function listening(port: number, server: ChildProcess): Promise<boolean> {
  while (server.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return true;
    await sleep(100);
  }
  return false;
}

async function readAll(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout!.setEncoding('utf8')) text += chunk as string;
  return text;
}

/** Resident memory of a process. */
export function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / hertz;
}

/** Busy seconds of all cores since the machine started. */
function machineSeconds(): number {
  const [user, nice, system, , , irq, softIrq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number];
  return (user + nice + system + irq + softIrq + steal) / hertz;
}
