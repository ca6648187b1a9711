import { memberPlaces, type Alert, type Cause, type Correlation } from '@logloom/schemas';
import { parseRules } from '@logloom/rules/rules-file';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Correlate, type CorrelateOptions, type InputRecord } from '../correlate.ts';
import { effectsEnd, RestartPoint } from '../recovery/restart-point.ts';
import {
  endAfter,
  lastMember,
  toWrittenClose,
  WrittenDocuments,
  type WrittenEnd,
} from '../recovery/written-documents.ts';
import type { ClockState } from '@logloom/event-log/log-clock';
import { logEvent } from '../testing/correlator-fixtures.ts';
import { causedRecords } from './caused-records.ts';
import { CauseOrder, type LastCauses } from './cause-order.ts';
import type { JoinEffect, JoinLink } from './join-effects.ts';

const ample: CorrelateOptions = {
  idleMs: 50,
  maxMs: 300,
  graceMs: 20_000,
  maxEvents: 1000,
  maxSessions: 1000,
  memoryBytes: 1e9,
  joins: true,
  backfill: { idleMs: 100, maxMs: 1000, graceMs: 20_000, memoryBytes: 1e9 },
};
const numRuns = Number(process.env['RUNS'] ?? 500);
const joinLimit = 5;
const partitions = 3;
/** The ids of a test name their partition: 'T7@2'. Their kind follows from the first letter. */
const partitionOf = (id: string): number => Number(id.split('@')[1]);
const kinds = ['correlationId', 'traceId', 'requestId'];
const rankOf = (id: string): number => 'CTR'.indexOf(id[0]!);

interface LogRecord extends Omit<InputRecord, 'offset'> {
  cause?: Cause | null;
}

interface Committed {
  offset: number;
  output: number;
  position: number;
  effects?: number;
  clock?: ClockState;
  causes?: LastCauses;
}

/** What is left of a batch when the process dies: parts of its documents and of its effects. */
interface Crash {
  documents: number;
  effects: number;
  committed: boolean;
}

interface Running {
  correlate: Correlate;
  restart: RestartPoint;
  written: WrittenDocuments;
  ahead: Correlation[];
  order: CauseOrder;
  from: number;
  position: number;
}

/** A partition of the two logs, and the correlator that has it, if one runs. */
class Partition {
  readonly log: LogRecord[] = [];
  readonly documents: Correlation[] = [];
  readonly alerts: Alert[] = [];
  readonly #number: number;
  readonly #options: CorrelateOptions;
  readonly #append: (partition: number, record: LogRecord) => void;
  #committed: Committed = { offset: 0, output: 0, position: 0 };
  #running: Running | undefined;

  constructor(
    number: number,
    options: CorrelateOptions,
    append: (partition: number, record: LogRecord) => void,
  ) {
    this.#options = options;
    this.#number = number;
    this.#append = append;
  }

  get isDone(): boolean {
    return this.#running !== undefined && this.#running.position === this.log.length;
  }

  get nextDeadlineMs(): number | null {
    return this.#running?.correlate.nextDeadlineMs ?? null;
  }

  get state(): unknown {
    const { openSessions, links, lowWaterMark, bytes } = this.#running!.correlate;
    return { openSessions, links, lowWaterMark, bytes };
  }

  #start(): Running {
    const { offset, output, clock, causes } = this.#committed;
    const from = effectsEnd(this.#committed);
    const ahead = this.documents.slice(output);
    const written = new WrittenDocuments(ahead.reduce<WrittenEnd | undefined>(endAfter, undefined));
    const restart = new RestartPoint(offset, output, {
      effects: from,
      ...(clock === undefined ? {} : { clock }),
      ...(causes === undefined ? {} : { causes }),
    });
    ahead.forEach((document, i) => restart.documentWritten(output + i, lastMember(document)));
    const correlate = new Correlate(this.#number, this.#options, { clock, written, joinLimit, rules });
    return {
      correlate,
      restart,
      written,
      ahead,
      order: new CauseOrder(causes),
      from,
      position: offset,
    };
  }

  /** Works on up to `count` records, and dies if a crash is given. */
  step(count: number, crash: Crash | null): void {
    const running = (this.#running ??= this.#start());
    const { correlate, restart, written, ahead, order, from } = running;
    const batch = this.log.slice(running.position, running.position + count);
    const documents: Correlation[] = [];
    const alerts: Alert[] = [];
    const effects: JoinEffect[] = [];
    batch.forEach((record, i) => {
      const offset = running.position + i;
      while (ahead.length > 0 && ahead[0]!.closeOffset <= offset)
        written.push(toWrittenClose(ahead.shift()!));
      correlate.apply(inputOf(record, offset, order), documents, alerts, effects);
    });
    const kept =
      crash === null ? documents : documents.slice(0, Math.ceil(documents.length * crash.documents));
    for (const document of kept) {
      restart.documentWritten(this.documents.length, lastMember(document));
      this.documents.push(document);
    }
    const isWhole = kept.length === documents.length;
    const caused = isWhole ? causedRecords(effects, this.#number, from) : [];
    for (const each of crash === null ? caused : caused.slice(0, Math.ceil(caused.length * crash.effects))) {
      if (each.type === 'link') {
        const { cause, isBackfill, ...link } = each;
        const record = { timestampMs: 0, event: null, link, cause, isBackfill };
        this.#append(partitionOf(link.id), record);
        if (link.into === '' && partitionOf(link.id) !== this.#number) this.#append(this.#number, record);
        continue;
      }
      const { member, into, kind, isBackfill, cause } = each;
      const { event, forwarded } = this.log[member]!;
      const place = forwarded ?? { partition: this.#number, offset: member, hops: 0 };
      this.#append(partitionOf(into), {
        timestampMs: 0,
        event,
        forwarded: { into, kind, partition: place.partition, offset: place.offset, hops: place.hops + 1 },
        cause,
        isBackfill,
      });
    }
    const isCommitted = crash === null || (isWhole && crash.effects === 1 && crash.committed);
    running.position += batch.length;
    if (isCommitted) {
      restart.batchApplied(running.position, {}, correlate.time.state, order.last);
      const planned = restart.next(correlate.lowWaterMark);
      if (planned !== null) {
        this.#committed = { ...(JSON.parse(planned.metadata) as Committed), offset: planned.offset };
      }
    }
    if (crash !== null) this.#running = undefined;
  }
}

function inputOf({ cause, ...record }: LogRecord, offset: number, order: CauseOrder): InputRecord {
  if (cause !== undefined && cause !== null && !order.admit(cause))
    return { offset, timestampMs: record.timestampMs, event: null };
  return { ...record, offset };
}

const parsed = parseRules(`rules:
  - { name: two, when: 'level:error', count: 2, distinct: { field: service, count: 2 }, alert: true }
  - { name: gap, when: 'message:begin', without: 'message:end', within: 100ms, alert: true }`);
assert.ok(parsed.ok);
const { rules } = parsed;

class Cluster {
  nowMs = 1e12;
  readonly options: CorrelateOptions;
  readonly partitions: readonly Partition[];
  /** The ids of each event, by its place. */
  readonly posted = new Map<string, readonly string[]>();
  #count = 0;

  constructor(options = ample) {
    this.options = options;
    this.partitions = Array.from(
      { length: partitions },
      (_, i) => new Partition(i, options, (partition, record) => this.append(partition, record)),
    );
  }

  run(steps: readonly Step[]): void {
    for (const step of steps) {
      if ('post' in step) this.post(step.post, step.fields, step.isBackfill);
      else if ('wait' in step) this.nowMs += step.wait;
      else this.partitions[step.work]!.step(step.count, step.crash);
    }
    this.settle();
  }

  append(partition: number, record: LogRecord): number {
    const { log } = this.partitions[partition]!;
    return log.push({ ...record, timestampMs: this.nowMs }) - 1;
  }

  /** As ingest does: the event in the partition of its first id, and links of the others to it. */
  post(ids: readonly string[], fields: object = {}, isBackfill = false): void {
    const [own, ...others] = ids.toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
    const kind = kinds[rankOf(own!)]!;
    for (const id of others) this.link(id, own!, isBackfill);
    const event = logEvent(own!, this.#count++, { correlationKind: kind, traceId: null, ...fields });
    const offset = this.append(partitionOf(own!), { timestampMs: 0, event, isBackfill });
    // A backfill has requests of its own.
    const known = isBackfill ? ids.map((id) => `backfill ${id}`) : ids;
    this.posted.set(`${partitionOf(own!)}/${offset}`, known);
  }

  link(id: string, into: string, isBackfill = false): void {
    const link: JoinLink = { type: 'link', id, into, kind: kinds[rankOf(into)]!, rank: rankOf(into) };
    this.append(partitionOf(id), { timestampMs: 0, event: null, link, isBackfill });
  }

  /** Until nothing is left to do, as the correlators' ticks make it. */
  settle(): void {
    for (;;) {
      for (const partition of this.partitions) partition.step(1000, null);
      if (!this.partitions.every((partition) => partition.isDone)) continue;
      const due = this.partitions.flatMap(({ nextDeadlineMs }) => nextDeadlineMs ?? []);
      if (due.length === 0) return;
      this.nowMs = Math.max(this.nowMs, Math.min(...due)) + 1;
      for (const i of this.partitions.keys()) this.append(i, { timestampMs: 0, event: null });
    }
  }

  /** The members of the newest documents, by request, as texts. */
  requests(): string[] {
    const documents = this.partitions.flatMap((partition) => partition.documents);
    return [...new Map(documents.map((document) => [document.id, document])).values()]
      .filter(({ joinedInto }) => joinedInto === null)
      .map((document) =>
        textOf(memberPlaces(document).map(({ partition, offset }) => `${partition}/${offset}`)),
      )
      .sort();
  }

  /** The same by the ids alone. */
  truth(): string[] {
    const requests: { ids: Set<string>; places: string[] }[] = [];
    for (const [place, ids] of this.posted) {
      const found = requests.filter((request) => ids.some((id) => request.ids.has(id)));
      const whole = { ids: new Set(ids), places: [place] };
      for (const request of found) {
        for (const id of request.ids) whole.ids.add(id);
        whole.places.push(...request.places);
        requests.splice(requests.indexOf(request), 1);
      }
      requests.push(whole);
    }
    return requests.map(({ places }) => textOf(places)).sort();
  }
}

function textOf(places: readonly string[]): string {
  return places.toSorted().join(' ');
}

/** What the logs make if nothing ever crashes. */
function replayed(cluster: Cluster): { documents: Correlation[]; alerts: Alert[] }[] {
  return cluster.partitions.map(({ log }, number) => {
    const correlate = new Correlate(number, cluster.options, { joinLimit, rules });
    const order = new CauseOrder();
    const documents: Correlation[] = [];
    const alerts: Alert[] = [];
    log.forEach((record, offset) => correlate.apply(inputOf(record, offset, order), documents, alerts));
    return { documents, alerts };
  });
}

const crashArbitrary = fc.option(
  fc.record({
    documents: fc.constantFrom(0, 0.5, 1, 1),
    effects: fc.constantFrom(0, 0.5, 1),
    committed: fc.boolean(),
  }),
  { nil: null, freq: 3 },
);

const idsArbitrary = fc
  .tuple(
    fc.nat(3),
    fc.uniqueArray(fc.constantFrom('C0', 'T0', 'T1', 'R0', 'R1', 'R2', 'R3'), { minLength: 1, maxLength: 3 }),
  )
  // Each request has its own ids; their partitions follow from their names.
  .map(([request, names]) =>
    names.map((name) => `${name}.${request}@${(name.charCodeAt(1) + request) % partitions}`),
  );

const stepArbitrary = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      post: idsArbitrary,
      isBackfill: fc.constantFrom(false, false, true),
      fields: fc.constantFrom({}, { level: 'error' }, { message: 'begin' }, { message: 'end' }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(1, 20, 60, 400) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      work: fc.nat(partitions - 1),
      count: fc.integer({ min: 1, max: 20 }),
      crash: crashArbitrary,
    }),
  },
);

type Step =
  | { post: readonly string[]; fields: object; isBackfill: boolean }
  | { wait: number }
  | { work: number; count: number; crash: Crash | null };

function assertReplaysAlike(cluster: Cluster): void {
  assert.deepEqual(
    cluster.partitions.map(({ documents }) => documents),
    replayed(cluster).map(({ documents }) => documents),
  );
  for (const { state } of cluster.partitions)
    assert.deepEqual(state, { openSessions: 0, links: 0, lowWaterMark: null, bytes: 0 });
}

function assertExactlyOnce(cluster: Cluster): void {
  const members = cluster.requests().flatMap((request) => request.split(' '));
  assert.deepEqual(members.sort(), [...cluster.posted.keys()].sort());
}

describe('requests with several ids', () => {
  test('are one document each, whatever crashes, and a replay makes the same', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 80, size: 'max' }), (steps) => {
        const cluster = new Cluster();
        cluster.run(steps);
        assert.deepEqual(cluster.requests(), cluster.truth());
        assertReplaysAlike(cluster);
      }),
      { numRuns },
    );
  });

  test('have each event once, however short the windows are', () => {
    const optionsArbitrary = fc.record({
      idleMs: fc.constantFrom(10, 50),
      maxMs: fc.constantFrom(60, 300),
      graceMs: fc.constantFrom(1, 120, 1000),
      maxEvents: fc.constantFrom(2, 5, 1000),
      maxSessions: fc.constantFrom(2, 1000),
      memoryBytes: fc.constantFrom(3000, 6000, 1e9),
      joins: fc.constant(true),
      backfill: fc.constantFrom(
        { idleMs: 20, maxMs: 60, graceMs: 30, memoryBytes: 3000 },
        { idleMs: 50, maxMs: 300, graceMs: 1000, memoryBytes: 1e9 },
      ),
    });
    fc.assert(
      fc.property(
        fc.array(stepArbitrary, { maxLength: 80, size: 'max' }),
        optionsArbitrary,
        (steps, options) => {
          const cluster = new Cluster(options);
          cluster.run(steps);
          assertExactlyOnce(cluster);
          assertReplaysAlike(cluster);
        },
      ),
      { numRuns },
    );
  });

  test('whose ids join each other in a circle keep each event once', () => {
    const cluster = new Cluster();
    cluster.post(['C1@0']);
    cluster.post(['T1@1']);
    const circle: [string, string][] = [
      ['C1@0', 'T1@1'],
      ['T1@1', 'R1@2'],
      ['R1@2', 'C1@0'],
    ];
    for (const [id, into] of circle) cluster.link(id, into);
    for (const id of ['C1@0', 'T1@1', 'R1@2']) cluster.post([id]);
    cluster.run([]);
    assertExactlyOnce(cluster);
    assertReplaysAlike(cluster);
    assert.ok(cluster.partitions.every(({ log }) => log.length < 100));
  });

  describe('that share an id that is none', () => {
    const shared = 'R9@2';
    const post = (cluster: Cluster, from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        cluster.post([`T${i}@${i % 2}`, shared]);
        for (let k = 0; k < 4; k++) for (const partition of cluster.partitions) partition.step(1000, null);
      }
    };

    test('are joined up to the limit, and each has a document of its own from then on, which says so', () => {
      const cluster = new Cluster();
      post(cluster, 100, 140);
      cluster.post([shared]);
      cluster.run([]);
      assertExactlyOnce(cluster);
      assertReplaysAlike(cluster);
      const requests = cluster.requests();
      // Those that were there when it was found are one.
      assert.ok(requests.length > 40 - 2 * joinLimit, `${requests.length} requests`);
      const documents = cluster.partitions.flatMap((partition) => partition.documents);
      const { joinLimited } = documents.findLast(({ correlationId }) => correlationId === shared)!;
      assert.equal(joinLimited, true);
    });

    test('stay apart as long as it comes, however long', () => {
      const cluster = new Cluster();
      post(cluster, 100, 120);
      for (let i = 200; i < 260; i++) {
        cluster.nowMs += ample.maxMs;
        post(cluster, i, i + 1);
      }
      cluster.run([]);
      const late = cluster.requests().filter((request) => request.split(' ').length === 1);
      assert.ok(late.length >= 60, `${late.length} requests of one event`);
      assertReplaysAlike(cluster);
    });

    test('or join one that is none, are joined up to the limit', () => {
      const cluster = new Cluster();
      for (let i = 100; i < 140; i++) {
        cluster.post([`C9@0`, `R${i}@2`]);
        cluster.post([`R${i}@2`]);
        for (let k = 0; k < 4; k++) for (const partition of cluster.partitions) partition.step(1000, null);
      }
      cluster.run([]);
      assertExactlyOnce(cluster);
      assertReplaysAlike(cluster);
      const single = cluster.requests().filter((request) => request.split(' ').length === 1);
      assert.ok(single.length >= 40 - 2 * joinLimit, `${single.length} requests of one event`);
    });
  });
});
