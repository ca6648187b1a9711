import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type { FaultProxy } from '../faults/proxy/fault-proxy.ts';
import type { ProxyFault } from '../scenario/fault-plan.ts';
import type { LogloomProcess, ServerOptions } from './logloom-process.ts';
import type { RefusingProxy } from './refusing-proxy.ts';

/** What an injection can act on. */
export interface Stage {
  server: LogloomProcess;
  /** Draws by the same `random`. */
  viewers: FaultProxy;
  ingest: RefusingProxy;
  generatorPids: readonly number[];
  random: () => number;
  /** Aborts when the fault has to end. */
  signal: AbortSignal;
}

export interface Injection {
  /** How the server is started for it. */
  server?: (random: () => number) => ServerOptions;
  /** Begins the fault; what it returns ends it. */
  begin?: (stage: Stage) => (() => void | Promise<void>) | undefined;
}

/** What is done for each injection, in doses that are drawn for every run. */
export const actions: Readonly<Record<string, Injection>> = {
  none: {},
  cut: {
    begin: ({ viewers, random }) => {
      viewers.begin(1, onViewers({ kind: 'reset', share: between(random, 0.15, 1) }));
      return undefined;
    },
  },
  'network-delay': {
    begin: ({ viewers, random }) => {
      const latencyMs = between(random, 150, 800);
      viewers.begin(1, onViewers({ kind: 'network', share: 1, latencyMs }, untilEnded));
      return () => viewers.end(1);
    },
  },
  'server-slow': {
    begin: ({ server, random, signal }) =>
      stutter((name) => server.signal(name), between(random, 0.6, 0.92), signal, 100),
  },
  'server-paused': {
    begin: ({ server }) => {
      server.signal('SIGSTOP');
      return () => server.signal('SIGCONT');
    },
  },
  'server-killed': {
    begin: ({ server }) => {
      server.signal('SIGKILL');
      return () => server.start();
    },
  },
  'ingest-refused': {
    begin: ({ ingest, random }) => {
      ingest.refuseWith =
        random() < 0.5 ? { status: 429, code: 'overloaded' } : { status: 503, code: 'log-unavailable' };
      return () => void (ingest.refuseWith = undefined);
    },
  },
  'generator-overloaded': {
    begin: ({ generatorPids, random, signal }) =>
      stutter(
        (name) => generatorPids.forEach((pid) => process.kill(pid, name)),
        between(random, 0.3, 0.8),
        signal,
        1_000,
      ),
  },
  'machine-busy': {
    begin: ({ random }) => burn(between(random, 1, 5)),
  },
  'disk-full': {
    server: () => ({ diskMiB: 256 }),
    begin: ({ server }) => {
      const path = server.path('filler');
      fill(path);
      return () => rmSync(path);
    },
  },
  'memory-leak': {
    server: (random) => ({
      settings: {
        NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'leak.mjs')).href}`,
        CALIBRATION_LEAK_MIB: String(between(random, 3, 15)),
      },
    }),
  },
};

/** Begins programs that do nothing but compute, `perCore` for each core. */
function burn(perCore: number): () => void {
  const burners = Array.from({ length: Math.round(perCore * availableParallelism()) }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  return () => burners.forEach((burner) => burner.kill('SIGKILL'));
}

/** A fault is over at once, or holds for connections to come until it is ended. */
const untilEnded = Infinity;

function onViewers(
  fault: { kind: 'reset'; share: number } | { kind: 'network'; share: number; latencyMs: number },
  seconds = 0,
): ProxyFault {
  return { ...fault, on: 'viewers', atSeconds: 0, seconds };
}

export function between(random: () => number, low: number, high: number): number {
  return low + random() * (high - low);
}

/** Stops processes for a share of every `turnMs`, as a machine does that has other work. */
function stutter(
  tell: (signal: NodeJS.Signals) => void,
  share: number,
  signal: AbortSignal,
  turnMs: number,
): () => void {
  const turn = (): void => {
    if (signal.aborted) return;
    tell('SIGSTOP');
    setTimeout(() => {
      tell('SIGCONT');
      setTimeout(turn, turnMs * (1 - share));
    }, turnMs * share);
  };
  turn();
  return () => tell('SIGCONT');
}

/** Writes a file until the disk has no room. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  const bytes = Buffer.alloc(2 ** 20);
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}
