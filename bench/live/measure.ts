import { readScenario, runScenario, type RunOptions } from '@logloom/loadtest';
import { spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rival, type RivalName } from './rivals/rival.ts';

export interface Load {
  connections: number;
  /** Events a second at the start; each step of 4 s has a fourth more when it ramps. */
  rate: number;
  ramps?: boolean;
  seconds: number;
  /** Of Logloom's viewers, so that their filters differ. */
  condition?: RunOptions['condition'] | undefined;
}

export interface Result {
  name: string;
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
  generatorCpu: number;
  /** Cores that other programs used meanwhile. */
  othersCpu: number;
  /** Why the figures say more about the load test than about the server; empty: they do not. */
  limits: readonly string[];
}

const stepSeconds = 4;
const connectsPerSecond = 1_000;
/** Between the last connection and the first event; memory without load is read in it. */
const idleSeconds = 3;
const hertz = 100;

interface Usage {
  serverS: number;
  generatorS: number;
  allS: number;
  atMs: number;
}

/** One run of one server on core 0, with the load test on core 1. */
export async function measure(name: RivalName, load: Load): Promise<Result> {
  // The processes of the load test inherit it.
  spawnSync('taskset', ['-a', '-cp', '1', String(process.pid)]);
  await using server = await Rival.start(name, ['taskset', '-c', '0']);
  await sleep(2_000);
  const emptyKb = residentKb(server.pid);
  const connectS = Math.max(1, load.connections / connectsPerSecond);
  const beginsAtS = connectS + idleSeconds;
  const steps = stepsOf(load, beginsAtS);
  const endsAtS = steps.at(-1)!.toS;
  const scenario = readScenario(
    JSON.stringify({
      viewers: {
        stages: [{ to: load.connections, for: `${connectS}s` }, { for: `${endsAtS - connectS + 2}s` }],
        mix: [{ watch: 'all' }],
      },
      events: {
        stages: [
          { to: 0, for: `${beginsAtS}s` },
          ...steps.map(({ rate, fromS, toS }) => ({
            to: rate,
            for: `${toS - fromS}s`,
            shape: 'steps',
            count: 1,
          })),
        ],
      },
    }),
    'bench',
  );
  let pids: readonly number[] = [];
  const use = (): Usage => ({
    serverS: cpuSeconds(server.pid),
    generatorS: [process.pid, ...pids].reduce((total, pid) => total + cpuSeconds(pid), 0),
    allS: machineSeconds(),
    atMs: performance.now(),
  });
  let idleKb: number | undefined;
  let before: Usage | undefined;
  let after: Usage | undefined;
  const { timeline, delivery, connections, ingest, generator } = await runScenario(
    scenario,
    {
      kind: server.kind,
      url: server.url,
      token: undefined,
      ingestUrl: server.publishUrl,
      ingestKey: undefined,
      condition: load.condition,
      metricsUrls: [],
      checksSearch: false,
      quietMs: 5_000,
      onStart: ({ generatorPids }) => (pids = generatorPids),
      onProgress: ({ atS }) => {
        if (atS >= connectS + 1) idleKb ??= residentKb(server.pid);
        if (atS >= beginsAtS - 1) before ??= use();
        if (atS >= endsAtS) after ??= use();
      },
    },
    new AbortController().signal,
  );
  const loadedKb = residentKb(server.pid);
  const [from, to] = [before!, after!];
  const wallS = (to.atMs - from.atMs) / 1_000;
  const serverS = to.serverS - from.serverS;
  const generatorS = to.generatorS - from.generatorS;
  const total = timeline.reduce((sum, { deliveries }) => sum + deliveries, 0);
  return {
    name,
    open: connections.watching,
    failed: connections.failed,
    closed: connections.lost,
    connectSeconds: (timeline.find(({ viewers }) => viewers >= load.connections)?.atS ?? NaN) + 1,
    idleKb: (idleKb! - emptyKb) / load.connections,
    loadedKb: (loadedKb - emptyKb) / load.connections,
    events: ingest.acknowledged,
    lost: delivery.lost.count,
    deliveriesPerSecond: total / (endsAtS - beginsAtS),
    peakPerSecond: peak(timeline.map(({ deliveries }) => deliveries)),
    lastKept: lastKept(steps, timeline, load.connections),
    p50Ms: delivery.latency.p50 ?? NaN,
    p99Ms: delivery.latency.p99 ?? NaN,
    serverCpu: serverS / wallS,
    serverCpuMsAnEvent: (serverS * 1_000) / ingest.acknowledged,
    generatorCpu: generatorS / wallS,
    othersCpu: (to.allS - from.allS - serverS - generatorS) / wallS,
    limits: generator.limits,
  };
}

/** Says where a result is one of the load test. */
export function printLimits({ name, limits }: Result): void {
  for (const limit of limits) console.log(`  ${name}: the load test was the limit: ${limit}`);
}

interface Step {
  rate: number;
  fromS: number;
  toS: number;
}

function stepsOf({ rate, ramps = false, seconds }: Load, beginsAtS: number): Step[] {
  if (!ramps) return [{ rate, fromS: beginsAtS, toS: beginsAtS + seconds }];
  return Array.from({ length: Math.floor(seconds / stepSeconds) }, (_, i) => ({
    rate: rate * 1.25 ** i,
    fromS: beginsAtS + i * stepSeconds,
    toS: beginsAtS + (i + 1) * stepSeconds,
  }));
}

function peak(perSecond: readonly number[]): number {
  const best = [...perSecond].sort((a, b) => b - a).slice(0, 3);
  return best.reduce((total, deliveries) => total + deliveries, 0) / Math.max(1, best.length);
}

function lastKept(
  steps: readonly Step[],
  seconds: readonly { atS: number; deliveries: number; p99Ms: number | null }[],
  connections: number,
): Result['lastKept'] {
  let kept: Result['lastKept'];
  for (const { rate, fromS, toS } of steps) {
    // What was due before the step may come in its first second.
    const inside = seconds.filter(({ atS }) => atS >= fromS + 1 && atS + 1 <= toS);
    if (inside.length === 0) continue;
    const perSecond = inside.reduce((total, { deliveries }) => total + deliveries, 0) / inside.length;
    const p99Ms = Math.max(...inside.map(({ p99Ms: p99 }) => p99 ?? Infinity));
    if (p99Ms < 1_000 && perSecond > 0.9 * rate * connections) kept = { perSecond, p99Ms };
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
