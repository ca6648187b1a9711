import { availableParallelism } from 'node:os';
import type { IncidentKind } from '../result.ts';
import { heapReadings, type HeapReading } from './heap-reading.ts';

/** What the server's own metrics say; null where they do not. */
export interface ServerLook {
  /** Of all cores of this machine, since the look before. */
  cpuShare: number | null;
  memoryBytes: number | null;
  /** Of all its event loops: the longest delay (p99), and the highest share of the time in which one was busy. */
  loopDelayMs: number | null;
  loopShare: number | null;
  heaps: HeapReading[];
  incidents: IncidentKind[];
}

interface Counters {
  /** One for each process. */
  cpuS: number[];
  loopsS: number[];
  atMs: number;
}

/** Reads `/metrics` of the target's processes. */
export class ServerWatch {
  readonly #urls: readonly string[];
  #before: Counters | undefined;
  /** As it was last told, however long ago. */
  #cpuS: number[] = [];
  version: string | null = null;
  /** When processes of the target, or their parts, started, as was last told, in seconds since 1970. */
  startsS: number[] = [];

  /** The addresses of `/metrics`, one for each process; none: nothing is known of the server. */
  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  async look(): Promise<ServerLook> {
    const texts = (await Promise.all(this.#urls.map(read))).filter((text) => text !== undefined);
    if (texts.length < this.#urls.length || texts.length === 0) {
      this.#before = undefined;
      const nothing = { cpuShare: null, memoryBytes: null, loopDelayMs: null, loopShare: null, heaps: [] };
      return { ...nothing, incidents: this.#urls.length > 0 ? ['server-unreadable'] : [] };
    }
    const values = (name: string): number[] => texts.flatMap((text) => valuesOf(text, name));
    this.version ??= /^logloom_build_info\{[^}]*version="([^"]*)"/m.exec(texts[0]!)?.[1] ?? null;
    this.startsS = [...values('logloom_start_timestamp_seconds'), ...values('process_start_time_seconds')];
    const now = countersOf(texts);
    const incidents: IncidentKind[] = [];
    // A process that starts again counts from 0.
    const isRestarted = now.cpuS.some((cpuS, i) => cpuS < (this.#cpuS[i] ?? 0));
    if (isRestarted) incidents.push('server-restarted');
    const before = isRestarted ? undefined : this.#before;
    this.#before = now;
    this.#cpuS = now.cpuS;
    const [free] = values('logloom_disk_free_bytes');
    const [reserve] = values('logloom_disk_reserve_bytes');
    if (free !== undefined && reserve !== undefined && free < reserve) incidents.push('server-disk-short');
    const elapsedS = (now.atMs - (before?.atMs ?? NaN)) / 1_000;
    const loops = now.loopsS.map((active, i) => (active - (before?.loopsS[i] ?? NaN)) / elapsedS);
    return {
      cpuShare: known(sum(now.cpuS) - sum(before?.cpuS ?? []), elapsedS * availableParallelism()),
      memoryBytes: known(sum(values('process_resident_memory_bytes'))),
      loopDelayMs: known(Math.max(...values('nodejs_eventloop_lag_p99_seconds')) * 1_000),
      loopShare: known(Math.min(1, Math.max(...loops))),
      heaps: texts.flatMap((text, i) =>
        heapReadings(text).map((heap) => ({ ...heap, thread: `${i} ${heap.thread}` })),
      ),
      incidents,
    };
  }
}

function countersOf(texts: readonly string[]): Counters {
  return {
    cpuS: texts.map((text) => sum(valuesOf(text, 'process_cpu_seconds_total'))),
    loopsS: texts.flatMap((text) => valuesOf(text, 'logloom_event_loop_active_seconds_total')),
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
