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
import { abilitiesOf, type Target, type Viewing } from '../target/target.ts';
import { openTraffic } from '../traffic/open-traffic.ts';
import type { Traffic, Watch } from '../traffic/traffic.ts';
import { IncidentCounter } from './incident-counter.ts';
import { IntendedTimes } from './intended-times.ts';
import { newHistogram, packed, recordMs } from './latency-histogram.ts';
import { logloomFilter } from './logloom-filter.ts';
import type { ToViewers, ViewersEnd, ViewersSecond, ViewersTally } from './messages.ts';
import { queueCount } from './queue-count.ts';
import { SelfWatch } from './self-watch.ts';
import { isLoopback, sourceAddresses } from './source-address.ts';
import { TickWheel } from './tick-wheel.ts';
import { Viewer } from './viewer.ts';

const tickMs = 50;
/** How often silent connections are looked for. */
const listenMs = 1_000;
/** An event that was due this long before a viewer left may not have reached it. */
const leaveGraceSeconds = 10;
/** How far the clocks of generator and target may be apart. */
const clockSlackSeconds = 1;
type Start = Extract<ToViewers, { type: 'start' }>;

/** The viewers of one process: it opens and closes as many as the scenario wants at each moment, and keeps the account. */
export class ViewerCrowd {
  readonly #start: Start;
  readonly #traffic: Traffic;
  readonly #viewersRamp: Ramp;
  readonly #eventsRamp: Ramp;
  /** One for each address; they differ in nothing else. */
  readonly #targets: readonly Target[];
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
  readonly #wheel = new TickWheel(tickMs, () => performance.now());
  readonly #needsBeginning: boolean;
  /** Where viewers begin who get all of the run. */
  #beginning: { cursor: string; certainFrom: number } | undefined;
  /** Of each event, in ms since 1970. */
  readonly #intended: IntendedTimes;
  #second = emptySecond();
  #deliveryHistogram: Histogram = newHistogram();
  #connectHistogram: Histogram = newHistogram();
  #ticking: NodeJS.Timeout | undefined;
  #churnedAtS = 0;
  #isHeld = false;
  #sent = 0;

  constructor(start: Start) {
    this.#start = start;
    this.#traffic = openTraffic(start.run, start.scenario.events);
    this.#viewersRamp = new Ramp(start.scenario.viewers.stages);
    this.#eventsRamp = new Ramp(start.scenario.events.stages);
    this.#intended = new IntendedTimes((n) => start.startsAtMs + this.#eventsRamp.timeOf(n + 1) * 1_000);
    const urls = [start.target.url, ...(start.target.moreUrls ?? [])];
    this.#isLoopback = urls.every(isLoopback);
    this.#needsBeginning = start.scenario.viewers.mix.some(({ from }) => from?.kind === 'start');
    this.#targets = urls.map((url) => openTarget({ ...start.target, url }));
    this.#findings = Object.fromEntries(
      faultKinds.map((kind) => [kind, { count: 0, viewers: 0, example: null }]),
    ) as ViewersEnd['findings'];
  }

  run(): void {
    if (this.#needsBeginning) this.#findBeginning();
    this.#ticking = setInterval(() => {
      this.#wheel.tick();
      if (!this.#isHeld) this.#tick();
    }, tickMs);
    this.#listen();
  }

  /** The time is over. */
  hold(sent: number): void {
    this.#isHeld = true;
    this.#sent = sent;
    for (const [position, viewer] of this.#present.entries())
      if (viewer.hasLeft) this.#openViewer(position);
      else viewer.readOn();
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
    clearInterval(this.#ticking);
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

  /** How many should watch at the moment and do not. */
  get #absent(): number {
    let absent = 0;
    for (const viewer of this.#present) if (!viewer.isWatching && !viewer.isThinking) absent++;
    return absent;
  }

  /** After a pause of this process itself what has come is read first. */
  #listen(before = performance.now()): void {
    const now = performance.now();
    if (now - before < 2 * listenMs) for (const viewer of this.#present) viewer.endIfSilent();
    this.#wheel.after(listenMs, () => this.#listen(now));
  }

  #tick(): void {
    const atS = this.#nowS();
    const { index, processes, scenario } = this.#start;
    const wanted = Math.round(this.#viewersRamp.valueAt(Math.min(atS, this.#viewersRamp.seconds)));
    if (atS < 0) return;
    const mine = Math.max(0, Math.ceil((wanted - index) / processes));
    if (this.#needsBeginning && this.#beginning === undefined) return;
    while (this.#present.length < mine) this.#openViewer(this.#present.length);
    while (this.#present.length > mine) this.#closeViewer(this.#present.pop()!);
    const { churn } = scenario.viewers;
    if (churn !== undefined && atS - this.#churnedAtS >= churn.everySeconds) {
      this.#churnedAtS = atS;
      // One cut before it watches is a connection for the server and none that is counted.
      for (const viewer of this.#present) if (viewer.isWatching && Math.random() < churn.share) viewer.cut();
    }
    const tenth = this.#tenths.at(atS);
    tenth.absent = Math.max(tenth.absent, this.#absent);
  }

  /** Opens the viewer at that position of those who should watch. */
  #openViewer(position: number): void {
    const { index, processes, scenario } = this.#start;
    const number = position * processes + index;
    this.#second.attempted++;
    const kind = kindOf(scenario.viewers.mix, number);
    const watch = this.#traffic.watchOf(kind, number);
    const expected = this.#expectedOf(watch);
    const localAddress = this.#isLoopback ? `127.0.0.${1 + (number % sourceAddresses)}` : undefined;
    const viewer: Viewer = new Viewer(number, kind, expected, {
      target: this.#targetOf(number),
      reader: this.#readerOf(watch),
      viewing: {
        filter: this.#filterOf(watch, number),
        history: historyOf(kind),
        priority: kind.priority,
        compression: kind.compression,
        encoding: kind.encoding,
        localAddress,
      },
      begin: kind.from?.kind === 'start' ? this.#beginning!.cursor : 'now',
      wheel: this.#wheel,
      nowMs: () => performance.now(),
      dueNow: () => this.#dueAt(this.#nowS()),
      certainFrom: () => this.#certainFrom(kind, expected),
      onConnected: (ms, { returned, resumed }) => {
        this.#second.connects++;
        if (returned) this.#second.returned++;
        if (resumed) this.#second.resumed++;
        recordMs(this.#connectHistogram, ms);
      },
      onDelivery: (frame, bytes, timedFrom) => this.#delivered(frame, bytes, timedFrom),
      onEnd: (reason, wasWatching) => {
        if (wasWatching) this.#second.disconnects++;
        else this.#second.connectFailures++;
        this.#incidents.add(wasWatching ? 'connection-lost' : 'connect-failed', reason, localAddress ?? null);
        this.#tenths.at(this.#nowS()).failed++;
        this.#second.failuresByReason[reason] = (this.#second.failuresByReason[reason] ?? 0) + 1;
      },
      onSessionOver: (thinkMs) => {
        this.#closeViewer(viewer);
        this.#wheel.after(thinkMs, () => this.#replace(position, viewer));
      },
      onFault: (fault) => this.#found(viewer, watch, fault),
    });
    this.#viewers.push(viewer);
    this.#present[position] = viewer;
    viewer.open();
  }

  /** Opens another viewer in place of one whose session is over, unless that was done or it is not wanted any more. */
  #replace(position: number, viewer: Viewer): void {
    if (this.#present[position] === viewer) this.#openViewer(position);
  }

  /** From which number on a viewer that watches from now has to get what it expects. */
  #certainFrom({ from = { kind: 'now' } }: ViewerKind, expected: ExpectedEvents): number {
    const now = this.#nowS();
    // Of those that are due now some may have been sent before.
    const next = this.#dueAt(now) + 1;
    switch (from.kind) {
      case 'now':
        return next;
      case 'start':
        return this.#beginning!.certainFrom;
      case 'last': {
        // An event is stored after it was due.
        const begin = now - from.lastSeconds + clockSlackSeconds;
        return begin <= 0 ? 0 : Math.min(next, this.#dueAt(begin) + 1);
      }
      case 'tail': {
        // Of the last ones nobody knows in which order they were stored, or whether they were yet.
        const due = expected.countBelow(next);
        const unsettled = due - expected.countBelow(this.#dueAt(now - leaveGraceSeconds));
        const first = due - from.tail + unsettled;
        if (first >= due) return next;
        return first <= 0 ? 0 : expected.numberAt(first);
      }
    }
  }

  /** Remembers where the log was when the run began, for viewers who begin there. */
  #findBeginning(): void {
    const { run, target } = this.#start;
    const connection = this.#targets[0]!.connect(
      { filter: logloomFilter(run, '', target.isHidden), from: 'now' },
      this.#readerOf({ kind: 'all' }),
      {
        onSubscribed: () => {},
        onFrame: ({ cursor }) => {
          if (cursor === null || this.#beginning !== undefined) return;
          const now = this.#nowS();
          this.#beginning = { cursor, certainFrom: now < 0 ? 0 : this.#dueAt(now) + 1 };
          connection.cut();
        },
        onEnd: () => this.#wheel.after(1_000, () => this.#findBeginning()),
      },
    );
  }

  #dueAt(seconds: number): number {
    return seconds <= 0 ? 0 : Math.floor(this.#eventsRamp.integral(seconds));
  }

  #closeViewer(viewer: Viewer): void {
    viewer.leave(this.#dueAt(this.#nowS() - leaveGraceSeconds));
  }

  #delivered({ numbers, missed }: Frame, bytes: number, timedFrom: number): void {
    if (missed > 0) this.#incidents.add('announced', 'gap', null, missed);
    this.#second.receivedBytes += bytes;
    this.#second.deliveries += numbers.length;
    if (numbers.length === 0) return;
    const now = epochMs();
    const tenth = this.#tenths.at(this.#nowS());
    tenth.arrived += numbers.length;
    for (const n of numbers) {
      if (n < timedFrom) continue;
      const ms = now - this.#intended.of(n);
      recordMs(this.#deliveryHistogram, ms);
      if (ms > tenth.worstMs) tenth.worstMs = ms;
    }
  }

  #found(viewer: Viewer, watch: Watch, { kind, ...fault }: FoundFault): void {
    const finding = this.#findings[kind];
    finding.count++;
    if (isSeenAtOnce(kind)) this.#incidents.add(kind, this.#traffic.nameOf(watch));
    let viewers = this.#faultyViewers.get(kind);
    if (viewers === undefined) this.#faultyViewers.set(kind, (viewers = new Set()));
    viewers.add(viewer);
    finding.example ??= {
      ...fault,
      viewer: viewer.number,
      filter: this.#traffic.nameOf(watch),
      cursor: fault.cursor ?? viewer.cursor,
      atS: Math.round(this.#nowS() * 1_000) / 1_000,
      id: null,
      lookUp: null,
    };
  }

  #filterOf(watch: Watch, viewer: number): string {
    const { condition, isHidden } = this.#start.target;
    const filter = logloomFilter(this.#start.run, this.#traffic.filterOf(watch), isHidden);
    if (condition === undefined) return filter;
    return `${filter} AND (${condition.text.replaceAll('{{n}}', String(viewer % condition.count))})`;
  }

  #targetOf(viewer: number): Target {
    // Fractions that follow neither kinds nor services, which also go by the viewer's number: each address has its share of each.
    const share = (viewer * 0.7548776662466927) % 1;
    return this.#targets[Math.floor(share * this.#targets.length)]!;
  }

  #readerOf(watch: Watch): FrameReader {
    const { run, target } = this.#start;
    const { filters } = abilitiesOf[target.kind];
    const name = filters ? '' : this.#traffic.nameOf(watch);
    let reader = this.#readers.get(name);
    if (reader !== undefined) return reader;
    reader = new FrameReader((bytes) => this.#targets[0]!.decode(bytes), {
      run,
      check: (n, event) => {
        const sent = this.#traffic.event(n);
        for (const field of ['service', 'level', 'message'] as const)
          if (event[field] !== sent[field])
            return `${field} is ${JSON.stringify(event[field])?.slice(0, 200)}, not ${JSON.stringify(sent[field]).slice(0, 200)}`;
        return undefined;
      },
      senderOf: (n) => this.#traffic.queueOf(n, queueCount),
      isWatched: filters ? undefined : (n) => this.#traffic.matches(watch, n),
    });
    this.#readers.set(name, reader);
    return reader;
  }

  #expectedOf(watch: Watch): ExpectedEvents {
    const name = this.#traffic.nameOf(watch);
    let expected = this.#expected.get(name);
    if (expected === undefined)
      this.#expected.set(name, (expected = new ExpectedEvents(this.#traffic, watch)));
    return expected;
  }

  #nowS(): number {
    return (epochMs() - this.#start.startsAtMs) / 1_000;
  }
}

function historyOf({ from }: ViewerKind): Viewing['history'] {
  if (from?.kind === 'tail') return { tail: from.tail };
  return from?.kind === 'last' ? { last: `${Math.round(from.lastSeconds * 1_000)}ms` } : undefined;
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
