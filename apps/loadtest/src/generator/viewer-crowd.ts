import type { Histogram } from 'hdr-histogram-js';
import { epochMs } from '../clock.ts';
import { TenthsRecorder, tenthOf } from '../faults/tenths.ts';
import { ExpectedEvents } from '../oracle/expected.ts';
import { faultKinds, type Account, type FaultKind, type FoundFault } from '../oracle/viewer-ledger.ts';
import type { IncidentKind } from '../result.ts';
import { Ramp } from '../scenario/ramp.ts';
import type { ViewerKind } from '../scenario/scenario.ts';
import { FrameReader, type Frame } from '../target/frame-reader.ts';
import { openTarget } from '../target/open-target.ts';
import { abilitiesOf, type Target } from '../target/target.ts';
import { Traffic, watchName, type Watch } from '../traffic/traffic.ts';
import { IncidentCounter } from './incident-counter.ts';
import { IntendedTimes } from './intended-times.ts';
import { newHistogram, packed, recordMs } from './latency-histogram.ts';
import { logloomFilter } from './logloom-filter.ts';
import type { ToViewers, ViewersEnd, ViewersSecond, ViewersTally } from './messages.ts';
import { queueCount } from './producer.ts';
import { SelfWatch } from './self-watch.ts';
import { Viewer } from './viewer.ts';

const tickMs = 50;
/** An event that was due this long before a viewer left may not have reached it. */
const leaveGraceSeconds = 10;
/** Loopback has more addresses than one: each gives 28,000 connections to a port. */
export const sourceAddresses = 20;

type Start = Extract<ToViewers, { type: 'start' }>;

/** The viewers of one process: it opens and closes as many as the scenario wants at each moment, and keeps the account. */
export class ViewerCrowd {
  readonly #start: Start;
  readonly #traffic: Traffic;
  readonly #viewersRamp: Ramp;
  readonly #eventsRamp: Ramp;
  readonly #target: Target;
  /** By what is watched; of a target that filters, one for all. */
  readonly #readers = new Map<string, FrameReader>();
  readonly #expected = new Map<string, ExpectedEvents>();
  /** All that ever watched. */
  readonly #viewers: Viewer[] = [];
  /** Those that should watch now. */
  readonly #present: Viewer[] = [];
  readonly #findings: ViewersEnd['findings'];
  readonly #faultyViewers = new Map<FaultKind, Set<Viewer>>();
  readonly #self = new SelfWatch();
  readonly #incidents = new IncidentCounter();
  readonly #tenths = new TenthsRecorder();
  readonly #isLoopback: boolean;
  /** Of each event, in ms since 1970. */
  readonly #intended: IntendedTimes;
  #second = emptySecond();
  #deliveryHistogram: Histogram = newHistogram();
  #connectHistogram: Histogram = newHistogram();
  #ticking: NodeJS.Timeout | undefined;
  #churnedAtS = 0;
  #sent = 0;

  constructor(start: Start) {
    this.#start = start;
    this.#traffic = new Traffic(start.run, start.scenario.events.traffic);
    this.#viewersRamp = new Ramp(start.scenario.viewers.stages);
    this.#eventsRamp = new Ramp(start.scenario.events.stages);
    this.#intended = new IntendedTimes((n) => start.startsAtMs + this.#eventsRamp.timeOf(n + 1) * 1_000);
    this.#isLoopback = /^127\.|^localhost$/.test(new URL(start.target.url).hostname);
    this.#target = openTarget(start.target);
    this.#findings = Object.fromEntries(
      faultKinds.map((kind) => [kind, { count: 0, viewers: 0, example: null }]),
    ) as ViewersEnd['findings'];
  }

  run(): void {
    this.#ticking = setInterval(() => this.#tick(), tickMs);
  }

  /** The time is over. */
  hold(sent: number): void {
    clearInterval(this.#ticking);
    this.#sent = sent;
    for (const viewer of this.#present) viewer.readOn();
  }

  cut(share: number): void {
    for (const viewer of this.#present) if (Math.random() < share) viewer.cut();
  }

  /** The last second's figures; the next begins. */
  second(second: number): ViewersSecond {
    const figures: ViewersSecond = {
      ...this.#second,
      type: 'second',
      second,
      watching: this.#watching,
      incidents: this.#incidents.take(second),
      deliveryHistogram: packed(this.#deliveryHistogram),
      connectHistogram: packed(this.#connectHistogram),
      tenths: this.#tenths.take(this.#nowS()),
      ...this.#self.look(),
    };
    this.#second = emptySecond();
    this.#deliveryHistogram.reset();
    this.#connectHistogram.reset();
    return figures;
  }

  tally(isStored: (n: number) => boolean = () => true, onMissing?: (n: number) => void): ViewersTally {
    const total: Account = {
      expected: 0,
      received: 0,
      announced: 0,
      lost: 0,
      underAnnounced: 0,
      overAnnounced: 0,
    };
    let viewers = 0;
    for (const viewer of this.#viewers) {
      const account = viewer.account(this.#sent, isStored, onMissing);
      if (account === undefined) continue;
      viewers++;
      for (const key of Object.keys(total) as (keyof Account)[]) total[key] += account[key];
    }
    return { type: 'tally', ...total, viewers, watching: this.#watching };
  }

  end(notStored: readonly number[]): ViewersEnd {
    const absent = new Set(notStored);
    const missing = new Map<number, number>();
    const onMissing = (n: number): void => {
      const tenth = tenthOf(this.#eventsRamp.timeOf(n + 1));
      missing.set(tenth, (missing.get(tenth) ?? 0) + 1);
    };
    const { type: _type, ...account } = this.tally((n) => !absent.has(n), onMissing);
    for (const viewer of this.#viewers) viewer.leave(0);
    const wrong = new Set<Viewer>();
    for (const [kind, viewers] of this.#faultyViewers) {
      this.#findings[kind].viewers = viewers.size;
      for (const viewer of viewers) wrong.add(viewer);
    }
    this.#findings.lost.count = account.lost;
    this.#findings.underAnnounced.count = account.underAnnounced;
    this.#findings.overAnnounced.count = account.overAnnounced;
    return {
      type: 'end',
      account: { ...account, exact: account.viewers - wrong.size },
      findings: this.#findings,
      missing: [...missing],
    };
  }

  get #watching(): number {
    let watching = 0;
    for (const viewer of this.#present) if (viewer.isWatching) watching++;
    return watching;
  }

  #tick(): void {
    const atS = this.#nowS();
    const { index, processes, scenario } = this.#start;
    const wanted = Math.round(this.#viewersRamp.valueAt(Math.min(atS, this.#viewersRamp.seconds)));
    if (atS < 0) return;
    const mine = Math.max(0, Math.ceil((wanted - index) / processes));
    while (this.#present.length < mine) this.#openViewer();
    while (this.#present.length > mine) this.#closeViewer(this.#present.pop()!);
    const { churn } = scenario.viewers;
    if (churn !== undefined && atS - this.#churnedAtS >= churn.everySeconds) {
      this.#churnedAtS = atS;
      this.cut(churn.share);
    }
    const tenth = this.#tenths.at(atS);
    tenth.absent = Math.max(tenth.absent, this.#present.length - this.#watching);
  }

  #openViewer(): void {
    const { index, processes, scenario } = this.#start;
    const number = this.#present.length * processes + index;
    this.#second.attempted++;
    const kind = kindOf(scenario.viewers.mix, number);
    const watch = this.#traffic.watchOf(kind.watch, number);
    const expected = this.#expectedOf(watch);
    const localAddress = this.#isLoopback ? `127.0.0.${1 + (number % sourceAddresses)}` : undefined;
    const viewer: Viewer = new Viewer(number, kind, expected, {
      target: this.#target,
      reader: this.#readerOf(watch),
      filter: this.#filterOf(watch, number),
      localAddress,
      dueNow: () => Math.floor(this.#eventsRamp.integral(this.#nowS())),
      onConnected: (ms, { returned, resumed }) => {
        this.#second.connects++;
        if (returned) this.#second.returned++;
        if (resumed) this.#second.resumed++;
        recordMs(this.#connectHistogram, ms);
      },
      onDelivery: (frame, bytes) => this.#delivered(frame, bytes),
      onEnd: (reason, wasWatching) => {
        if (wasWatching) this.#second.disconnects++;
        else this.#second.connectFailures++;
        this.#incidents.add(wasWatching ? 'connection-lost' : 'connect-failed', reason, localAddress ?? null);
        this.#tenths.at(this.#nowS()).failed++;
        this.#second.failuresByReason[reason] = (this.#second.failuresByReason[reason] ?? 0) + 1;
      },
      onFault: (fault) => this.#found(viewer, watch, fault),
    });
    this.#viewers.push(viewer);
    this.#present.push(viewer);
    viewer.open();
  }

  #closeViewer(viewer: Viewer): void {
    viewer.leave(Math.floor(this.#eventsRamp.integral(this.#nowS() - leaveGraceSeconds)));
  }

  #delivered({ numbers, missed }: Frame, bytes: number): void {
    if (missed > 0) this.#incidents.add('announced', 'gap', null, missed);
    this.#second.receivedBytes += bytes;
    this.#second.deliveries += numbers.length;
    if (numbers.length === 0) return;
    const now = epochMs();
    const tenth = this.#tenths.at(this.#nowS());
    tenth.arrived += numbers.length;
    for (const n of numbers) {
      const ms = now - this.#intended.of(n);
      recordMs(this.#deliveryHistogram, ms);
      if (ms > tenth.worstMs) tenth.worstMs = ms;
    }
  }

  #found(viewer: Viewer, watch: Watch, { kind, ...fault }: FoundFault): void {
    const finding = this.#findings[kind];
    finding.count++;
    if (isSeenAtOnce(kind)) this.#incidents.add(kind, watchName(watch));
    let viewers = this.#faultyViewers.get(kind);
    if (viewers === undefined) this.#faultyViewers.set(kind, (viewers = new Set()));
    viewers.add(viewer);
    finding.example ??= {
      ...fault,
      viewer: viewer.number,
      filter: watchName(watch),
      cursor: fault.cursor ?? viewer.cursor,
      atS: Math.round(this.#nowS() * 1_000) / 1_000,
      id: null,
      lookUp: null,
    };
  }

  #filterOf(watch: Watch, viewer: number): string {
    const { condition, isHidden } = this.#start.target;
    const filter = logloomFilter(this.#start.run, watch, isHidden);
    if (condition === undefined) return filter;
    return `${filter} AND (${condition.text.replaceAll('{{n}}', String(viewer % condition.count))})`;
  }

  #readerOf(watch: Watch): FrameReader {
    const { run, target } = this.#start;
    const { filters } = abilitiesOf[target.kind];
    const name = filters ? '' : watchName(watch);
    let reader = this.#readers.get(name);
    if (reader !== undefined) return reader;
    reader = new FrameReader((bytes) => this.#target.decode(bytes), {
      run,
      check: (n, event) => {
        const sent = this.#traffic.event(n);
        for (const field of ['service', 'level', 'message'] as const)
          if (event[field] !== sent[field])
            return `${field} is ${JSON.stringify(event[field])?.slice(0, 200)}, not ${JSON.stringify(sent[field]).slice(0, 200)}`;
        return undefined;
      },
      senderOf: (n) => this.#traffic.placeOf(n).request % queueCount,
      isWatched: filters ? undefined : (n) => this.#traffic.matches(watch, n),
    });
    this.#readers.set(name, reader);
    return reader;
  }

  #expectedOf(watch: Watch): ExpectedEvents {
    const name = watchName(watch);
    let expected = this.#expected.get(name);
    if (expected === undefined)
      this.#expected.set(name, (expected = new ExpectedEvents(this.#traffic, watch)));
    return expected;
  }

  #nowS(): number {
    return (epochMs() - this.#start.startsAtMs) / 1_000;
  }
}

/** What is missing is only known at the end. */
function isSeenAtOnce(kind: FaultKind): kind is FaultKind & IncidentKind {
  return kind === 'duplicated' || kind === 'disordered' || kind === 'corrupted' || kind === 'unexpected';
}

/** Kinds take turns by their weights, the same in every process. */
function kindOf(mix: readonly ViewerKind[], viewer: number): ViewerKind {
  const total = mix.reduce((sum, { weight }) => sum + weight, 0);
  // The golden ratio's fractions spread evenly, so that any number of viewers has nearly the shares.
  let at = ((viewer * 0.6180339887498949) % 1) * total;
  for (const kind of mix) if ((at -= kind.weight) < 0) return kind;
  return mix.at(-1)!;
}

function emptySecond() {
  return {
    deliveries: 0,
    receivedBytes: 0,
    connects: 0,
    connectFailures: 0,
    disconnects: 0,
    returned: 0,
    resumed: 0,
    attempted: 0,
    failuresByReason: {} as Record<string, number>,
  };
}
