import { availableParallelism } from 'node:os';
import type { IncidentKind } from '../result.ts';

/** What the server's own metrics say; null where they do not. */
export interface ServerLook {
  /** Of all cores of this machine, since the look before. */
  cpuShare: number | null;
  memoryBytes: number | null;
  /** Of all its event loops: the longest delay (p99), and the highest share of the time in which one was busy. */
  loopDelayMs: number | null;
  loopShare: number | null;
  incidents: IncidentKind[];
}

interface Counters {
  cpuS: number;
  loopsS: number[];
  startedS: number;
  atMs: number;
}

/** Reads `/metrics` of the target's processes. */
export class ServerWatch {
  readonly #urls: readonly string[];
  #before: Counters | undefined;
  /** When its processes started, as it was last told. */
  #startedS = NaN;
  version: string | null = null;

  /** The addresses of `/metrics`, one for each process; none: nothing is known of the server. */
  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  async look(): Promise<ServerLook> {
    const texts = (await Promise.all(this.#urls.map(read))).filter((text) => text !== undefined);
    if (texts.length < this.#urls.length || texts.length === 0) {
      this.#before = undefined;
      const nothing = { cpuShare: null, memoryBytes: null, loopDelayMs: null, loopShare: null };
      return { ...nothing, incidents: this.#urls.length > 0 ? ['server-unreadable'] : [] };
    }
    const values = (name: string): number[] => texts.flatMap((text) => valuesOf(text, name));
    this.version ??= /^logloom_build_info\{[^}]*version="([^"]*)"/m.exec(texts[0]!)?.[1] ?? null;
    const [before, now] = [this.#before, countersOf(values)];
    this.#before = now;
    const incidents: IncidentKind[] = [];
    if (now.startedS > this.#startedS + 1) incidents.push('server-restarted');
    this.#startedS = now.startedS;
    const [free] = values('logloom_disk_free_bytes');
    const [reserve] = values('logloom_disk_reserve_bytes');
    if (free !== undefined && reserve !== undefined && free < reserve) incidents.push('server-disk-short');
    const isSame = before !== undefined && before.startedS === now.startedS;
    const elapsedS = isSame ? (now.atMs - before.atMs) / 1_000 : NaN;
    const loops = now.loopsS.map((active, i) => (active - (before?.loopsS[i] ?? NaN)) / elapsedS);
    return {
      cpuShare: known(now.cpuS - (before?.cpuS ?? NaN), elapsedS * availableParallelism()),
      memoryBytes: known(sum(values('process_resident_memory_bytes'))),
      loopDelayMs: known(Math.max(...values('nodejs_eventloop_lag_p99_seconds')) * 1_000),
      loopShare: known(Math.max(...loops)),
      incidents,
    };
  }
}

function countersOf(values: (name: string) => number[]): Counters {
  return {
    cpuS: sum(values('process_cpu_seconds_total')),
    loopsS: values('logloom_event_loop_active_seconds_total'),
    startedS: sum(values('process_start_time_seconds')),
    atMs: performance.now(),
  };
}

/** NaN where there are none: no sum of nothing is measured. */
function sum(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((total, value) => total + value, 0);
}

function known(value: number, by = 1): number | null {
  return Number.isFinite(value / by) ? value / by : null;
}

function valuesOf(text: string, name: string): number[] {
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'));
  return [...lines].map(([, value]) => Number(value));
}

async function read(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const text = await response.text();
    return response.ok ? text : undefined;
  } catch {
    return undefined;
  }
}
