import type { Histogram } from 'hdr-histogram-js';
import { addPacked, latencyOf, newHistogram, quantileMs } from '../generator/latency-histogram.ts';
import type { ProducerSecond, ViewersSecond } from '../generator/messages.ts';
import type { ConnectionResult, GeneratorResult, Incident, Latency, Second, StageResult } from '../result.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { MachineLook } from './machine-watch.ts';
import type { ServerLook } from './server-watch.ts';

/** A generator whose processes take more of a core than this has no room for a moment's more. */
const fullCpu = 0.9;
const lateMs = 100;
/** Of the CPU of all cores: above it who wants to run waits. */
const fullMachine = 0.9;
/** Of it, what others than the load test and its target take, from which on they matter. */
const takenByOthers = 0.25;
/** Shorter pauses of a process are part of what any client has. */
const pausedMs = 100;

/** A process reports a second within so many seconds; then its histogram is not kept. */
const reportedWithin = 30;

interface Row {
  second: Second;
  /** Of its deliveries, while processes may still report. */
  histogram: Histogram | undefined;
}

/** Between two boundaries of the scenario. */
interface Span {
  name: string;
  fromS: number;
  toS: number;
  delivery: Histogram;
  connect: Histogram;
}

/** Puts together what the processes of a run report second by second. */
export class Timeline {
  readonly #rows: Row[] = [];
  readonly #spans: readonly Span[];
  readonly #delivery = newHistogram();
  readonly #connect = newHistogram();
  readonly #ingest = newHistogram();
  readonly #statuses: Record<string, number> = {};
  readonly #incidents: Incident[] = [];
  readonly #reasons: Record<string, number> = {};
  #retries = 0;
  #attempted = 0;
  #returned = 0;
  #resumed = 0;
  #maxCpu = 0;
  #loopDelayP99Ms = 0;
  #latenessP99Ms = 0;
  /** The seconds in which a process of the generator was at a limit, by the limit. */
  readonly #limited = { busy: new Set<number>(), late: new Set<number>(), paused: new Set<number>() };

  constructor(scenario: Scenario) {
    this.#spans = spansOf(scenario);
  }

  addViewers(figures: ViewersSecond): void {
    const { second, histogram } = this.#row(figures.second);
    second.viewers += figures.watching;
    for (const key of ['deliveries', 'receivedBytes', 'connects', 'connectFailures', 'disconnects'] as const)
      second[key] += figures[key];
    this.#attempted += figures.attempted;
    this.#returned += figures.returned;
    this.#resumed += figures.resumed;
    addAll(this.#reasons, figures.failuresByReason);
    this.#incidents.push(...figures.incidents);
    const span = this.#spans.find(({ fromS, toS }) => figures.second >= fromS && figures.second < toS);
    for (const each of [histogram, this.#delivery, span?.delivery])
      if (each !== undefined) addPacked(each, figures.deliveryHistogram);
    for (const each of [this.#connect, span?.connect])
      if (each !== undefined) addPacked(each, figures.connectHistogram);
    this.#watch(second, figures);
  }

  addProducer(figures: ProducerSecond): void {
    const { second } = this.#row(figures.second);
    second.due += figures.due;
    second.sent += figures.sent;
    second.acknowledged += figures.acknowledged;
    this.#retries += figures.retries;
    addAll(this.#statuses, figures.requestsByStatus);
    this.#incidents.push(...figures.incidents);
    addPacked(this.#ingest, figures.ingestHistogram);
    this.#latenessP99Ms = Math.max(this.#latenessP99Ms, figures.latenessP99Ms);
    if (figures.latenessP99Ms > lateMs && figures.second > 0)
      this.#limit(figures.second, 'late', `${Math.round(figures.latenessP99Ms)} ms`);
    this.#watch(second, figures);
  }

  /** The proxy in front of the target is a process of the generator's, too. */
  addProxy(figures: { second: number; cpu: number; loopDelayP99Ms: number }): void {
    this.#watch(this.#row(figures.second).second, figures);
  }

  addServer(second: number, { cpuShare, memoryBytes, loopDelayMs, loopShare, incidents }: ServerLook): void {
    const row = this.#row(second).second;
    row.serverCpu = cpuShare;
    row.serverMemoryBytes = memoryBytes;
    row.serverLoopDelayMs = loopDelayMs;
    row.serverLoopShare = loopShare;
    for (const kind of incidents) this.#notice(second, kind, '/metrics');
  }

  /** What the generator's machine had left, and who took it. */
  addMachine(second: number, { busy, others }: MachineLook): void {
    if (second === 0 || busy < fullMachine || others < takenByOthers) return;
    this.#notice(second, 'machine-busy', 'other programs');
  }

  /** In order. */
  incidents(): Incident[] {
    return this.#incidents.toSorted((a, b) => a.atS - b.atS);
  }

  /** The latest second that every process has reported; undefined: there is none yet. */
  get latest(): Second | undefined {
    const row = this.#rows.at(-3);
    return row && finished(row);
  }

  /** All seconds, in order. */
  seconds(): Second[] {
    return this.#rows.map(finished);
  }

  get deliveryLatency(): Latency {
    return latencyOf(this.#delivery);
  }

  ingest(): { latency: Latency; retries: number; requestsByStatus: Record<string, number> } {
    return { latency: latencyOf(this.#ingest), retries: this.#retries, requestsByStatus: this.#statuses };
  }

  /** How many viewers watched at the end, and how many should have. */
  connections(atEnd: Pick<ConnectionResult, 'watching' | 'shouldWatch'>): ConnectionResult {
    const sum = (key: 'connects' | 'connectFailures' | 'disconnects'): number =>
      this.#rows.reduce((total, { second }) => total + second[key], 0);
    return {
      attempted: this.#attempted,
      connected: sum('connects') - this.#returned,
      failed: sum('connectFailures'),
      lost: sum('disconnects'),
      resumed: this.#resumed,
      ...atEnd,
      failuresByReason: this.#reasons,
      latency: latencyOf(this.#connect),
    };
  }

  stages(): StageResult[] {
    return this.#spans.map(({ name, fromS, toS, delivery, connect }) => {
      const seconds = this.#rows.slice(Math.ceil(fromS), Math.ceil(toS)).map(({ second }) => second);
      return {
        name,
        fromS,
        toS,
        viewers: { atStart: seconds[0]?.viewers ?? 0, atEnd: seconds.at(-1)?.viewers ?? 0 },
        eventsSent: seconds.reduce((total, { sent }) => total + sent, 0),
        deliveries: seconds.reduce((total, { deliveries }) => total + deliveries, 0),
        deliveryLatency: latencyOf(delivery),
        connectLatency: latencyOf(connect),
      };
    });
  }

  generator(processes: number): GeneratorResult {
    const { busy, late, paused } = this.#limited;
    const limits = [
      {
        in: busy,
        what: `a process of the generator took up to ${Math.round(this.#maxCpu * 100)} % of a core`,
      },
      { in: late, what: `events were sent up to ${Math.round(this.#latenessP99Ms)} ms after their time` },
      {
        in: paused,
        what: `a process of the generator was held up for up to ${Math.round(this.#loopDelayP99Ms)} ms`,
      },
    ];
    return {
      processes,
      maxCpu: this.#maxCpu,
      loopDelayP99Ms: this.#loopDelayP99Ms,
      latenessP99Ms: this.#latenessP99Ms,
      limits: limits
        .filter(({ in: seconds }) => seconds.size > 0)
        .map(({ in: { size }, what }) => `${what} (in ${size} of ${this.#rows.length} seconds)`),
      limitedS: [...new Set([...busy, ...late, ...paused])].toSorted((a, b) => a - b),
    };
  }

  #watch(second: Second, { cpu, loopDelayP99Ms }: { cpu: number; loopDelayP99Ms: number }): void {
    second.generatorCpu = Math.max(second.generatorCpu, cpu);
    // A process that begins compiles its code: its first second says nothing about load.
    if (second.atS === 0) return;
    if (cpu > fullCpu) this.#limit(second.atS, 'busy', 'CPU');
    if (loopDelayP99Ms > pausedMs) this.#limit(second.atS, 'paused', 'event loop');
    this.#maxCpu = Math.max(this.#maxCpu, cpu);
    this.#loopDelayP99Ms = Math.max(this.#loopDelayP99Ms, loopDelayP99Ms);
  }

  #limit(atS: number, limit: 'busy' | 'late' | 'paused', reason: string): void {
    this.#limited[limit].add(atS);
    this.#notice(atS, `generator-${limit}`, reason);
  }

  #notice(atS: number, kind: Incident['kind'], reason: string): void {
    this.#incidents.push({ atS, kind, reason, address: null, count: 1 });
  }

  #row(number: number): Row {
    for (let atS = this.#rows.length; atS <= number; atS++) {
      this.#rows.push({ second: emptySecond(atS), histogram: newHistogram() });
      const old = this.#rows[atS - reportedWithin];
      if (old === undefined) continue;
      old.second = finished(old);
      old.histogram = undefined;
    }
    return this.#rows[number]!;
  }
}

function finished({ second, histogram }: Row): Second {
  if (histogram === undefined) return second;
  return {
    ...second,
    p50Ms: quantileMs(histogram, 50),
    p95Ms: quantileMs(histogram, 95),
    p99Ms: quantileMs(histogram, 99),
    maxMs: quantileMs(histogram, 100),
  };
}

function emptySecond(atS: number): Second {
  return {
    atS,
    viewers: 0,
    due: 0,
    sent: 0,
    acknowledged: 0,
    deliveries: 0,
    receivedBytes: 0,
    connects: 0,
    connectFailures: 0,
    disconnects: 0,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
    maxMs: null,
    generatorCpu: 0,
    serverCpu: null,
    serverMemoryBytes: null,
    serverLoopDelayMs: null,
    serverLoopShare: null,
  };
}

/** The stages of viewers and of events, cut at every boundary of either. */
function spansOf({ viewers, events }: Scenario): Span[] {
  const boundaries = new Map<number, string>();
  let end = 0;
  for (const { stages, of } of [
    { stages: viewers.stages, of: 'viewers' },
    { stages: events.stages, of: 'events/s' },
  ]) {
    let at = 0;
    for (const { name, shape, to, seconds } of stages) {
      const title = name ?? `${shape} to ${to} ${of}`;
      boundaries.set(at, [boundaries.get(at), title].filter(Boolean).join(', '));
      at += seconds;
    }
    end = Math.max(end, at);
  }
  const starts = [...boundaries].sort(([a], [b]) => a - b);
  return starts.map(([fromS, name], i) => ({
    name,
    fromS,
    toS: starts[i + 1]?.[0] ?? end,
    delivery: newHistogram(),
    connect: newHistogram(),
  }));
}

function addAll(total: Record<string, number>, more: Record<string, number>): void {
  for (const [key, count] of Object.entries(more)) total[key] = (total[key] ?? 0) + count;
}
