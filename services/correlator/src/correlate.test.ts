import type { RuleSet } from '@logloom/rules';
import { parseRules } from '@logloom/rules/rules-file';
import { loadtestKind, memberOffsets, type Alert, type Correlation, type Level } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Correlate, type CorrelateOptions, type InputRecord } from './correlate.ts';
import { RestartPoint } from './recovery/restart-point.ts';
import { endAfter, toWrittenClose, WrittenDocuments, type WrittenEnd } from './recovery/written-documents.ts';
import type { ClockState } from '@logloom/event-log/log-clock';

const options: CorrelateOptions = {
  idleMs: 50,
  maxMs: 300,
  graceMs: 120,
  maxEvents: 8,
  maxSessions: 1000,
  memoryBytes: 1e9,
};

function event(
  offset: number,
  correlationId: string,
  fields: {
    timestamp?: number;
    level?: Level;
    service?: string;
    correlationKind?: string;
    message?: string;
    traceId?: string | null;
    attributes?: string;
  } = {},
): InputRecord['event'] {
  return {
    source: { kind: 'http', topic: 'p', partition: 0, offset, index: 0 },
    timestamp: fields.timestamp ?? offset,
    level: fields.level ?? 'info',
    service: fields.service ?? 's',
    correlationId,
    correlationKind: fields.correlationKind ?? 'traceId',
    host: null,
    message: fields.message ?? 'm',
    traceId: fields.traceId ?? null,
    spanId: null,
    attributes: fields.attributes ?? '{}',
  };
}

/** Applies everything without a break. */
function run(records: readonly InputRecord[], opts = options): Correlation[] {
  const correlate = new Correlate(0, opts);
  const output: Correlation[] = [];
  for (const record of records) {
    correlate.apply(record, output);
    // Otherwise ticks would be written for ever.
    assert.ok((correlate.nextDeadlineMs ?? Infinity) > correlate.time.nowMs, 'nothing is overdue');
  }
  return output;
}

/** The highest revision of each document. */
function newest(documents: readonly Correlation[]): Correlation[] {
  return [...new Map(documents.map((d) => [d.id, d])).values()];
}

describe('a session', () => {
  const at = (offset: number, timestamp: number, id: string | null): InputRecord => ({
    offset,
    timestampMs: timestamp,
    event: id === null ? null : event(offset, id),
  });

  test('closes when it was idle, at the first record past its deadline', () => {
    const [document, ...rest] = run([at(0, 0, 'a'), at(1, 30, 'a'), at(2, 79, null), at(3, 80, null)]);
    assert.equal(rest.length, 0);
    assert.deepEqual(document, {
      id: 'log-0-0',
      correlationId: 'a',
      kind: 'traceId',
      revision: 1,
      closeReason: 'idle',
      firstAt: 0,
      lastAt: 1,
      services: ['s'],
      levels: { info: 2 },
      rules: [],
      severity: null,
      partition: 0,
      firstOffset: 0,
      closeOffset: 3,
      closeSequence: 0,
      firstClosedAt: 80,
      memberDeltas: [0, 1],
      rulesVersion: '',
      labels: {},
      alerts: [],
      final: false,
      closedAt: 80,
      ids: [],
      shape: document!.shape,
      backfill: false,
      joinedInto: null,
      forwarded: [],
      joinLimited: false,
    });
  });

  test('closes at its greatest age even while events come', () => {
    const records = Array.from({ length: 12 }, (_, i) => at(i, i * 40, 'a'));
    const documents = run(records, { ...options, maxEvents: 100 });
    assert.deepEqual(
      [documents[0]!.closeReason, documents[0]!.closeOffset, documents[0]!.memberDeltas.length],
      ['max', 8, 8],
    );
  });

  test('closes when it is full, and the next event starts another document', () => {
    const documents = run([...Array.from({ length: 9 }, (_, i) => at(i, i, 'a')), at(9, 500, null)]);
    assert.deepEqual(
      documents.map((d) => [d.id, d.closeReason, d.memberDeltas.length]),
      [
        ['log-0-0', 'size', 8],
        ['log-0-8', 'idle', 1],
      ],
    );
  });

  test('takes a late event in its grace time as a new revision, and starts anew after it', () => {
    const documents = run([
      at(0, 0, 'a'),
      at(1, 60, 'a'),
      at(2, 170, null),
      at(3, 181, 'a'),
      at(4, 500, null),
    ]);
    assert.deepEqual(
      documents.map((d) => [d.id, d.revision, memberOffsets(d)]),
      [
        ['log-0-0', 1, [0]],
        ['log-0-0', 2, [0, 1]],
        ['log-0-3', 1, [3]],
      ],
    );
  });

  test('that comes back late while there is no room makes room too', () => {
    const records = [at(0, 0, 'a'), at(1, 60, 'b'), at(2, 61, 'c'), at(3, 62, 'a')];
    assert.deepEqual(
      run(records, { ...options, maxSessions: 2 }).map((d) => [d.correlationId, d.closeReason]),
      [
        ['a', 'idle'],
        ['b', 'evicted'],
      ],
    );
  });

  test('that was idle longest makes room, and says so', () => {
    const documents = run([at(0, 0, 'a'), at(1, 1, 'b'), at(2, 2, 'a'), at(3, 3, 'c')], {
      ...options,
      maxSessions: 2,
    });
    assert.deepEqual(
      documents.map((d) => [d.correlationId, d.closeReason]),
      [['b', 'evicted']],
    );
  });

  test('counts levels, keeps services in order of appearance, and spans its members in event time', () => {
    const [document] = run([
      { offset: 0, timestampMs: 0, event: event(0, 'a', { timestamp: 500, service: 'web' }) },
      { offset: 1, timestampMs: 1, event: event(1, 'a', { timestamp: 100, service: 'db', level: 'error' }) },
      { offset: 2, timestampMs: 2, event: event(2, 'a', { timestamp: 900, service: 'web' }) },
      { offset: 3, timestampMs: 99, event: null },
    ]);
    assert.deepEqual(
      [document!.services, document!.levels, document!.firstAt, document!.lastAt],
      [['web', 'db'], { info: 2, error: 1 }, 100, 900],
    );
  });
});

/** Two versions, which between them have every kind of rule. */
const ruleSets = [
  `rules:
    - { name: two-errors, when: 'level:error', count: 2, distinct: { field: service, count: 2 }, severity: high, alert: true }
    - { name: done, when: 'message:begin', then: 'message:end', within: 60ms, labels: { done: 'yes' } }
    - { name: hung, when: 'message:begin', without: 'message:end', within: 100ms, severity: critical, alert: true }
    - { name: hung-long, when: 'message:begin', without: 'message:stop', within: 200ms, alert: true }
    - { name: quit, when: 'message:quit', close: final }`,
  `rules:
    - { name: stop, when: 'message:stop', close: true, alert: true }
    - { name: hung, when: 'message:begin', without: 'message:stop', within: 150ms, close: true, labels: { a: b } }
    - { name: never, when: 'message:x', without: 'message:begin', within: 1s, close: final, alert: true }
    - { name: error, when: 'level:error', alert: true }`,
].map((text) => {
  const result = parseRules(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.rules;
});

const backfillArbitrary = fc.record({
  idleMs: fc.constantFrom(20, 100),
  maxMs: fc.constantFrom(60, 1000),
  graceMs: fc.constantFrom(1, 150, 2000),
  memoryBytes: fc.constantFrom(3000, 1e9, 1e9),
});

const optionsArbitrary = fc
  .record({
    idleMs: fc.constantFrom(50, 50, 10, 150),
    maxMs: fc.constantFrom(60, 300),
    graceMs: fc.constantFrom(1, 120, 1000),
    maxEvents: fc.constantFrom(3, 1000),
    maxSessions: fc.constantFrom(2, 1000),
    // Room for two or three sessions, for a few more, for all.
    memoryBytes: fc.constantFrom(3000, 6000, 1e9),
    // Half of the records of options are of a release that did not tell backfilled events apart.
    backfill: fc.option(backfillArbitrary, { nil: undefined }),
  })
  .map(({ backfill, ...rest }): CorrelateOptions => (backfill === undefined ? rest : { ...rest, backfill }));

const recordsArbitrary = fc
  .array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', null),
      correlationKind: fc.constantFrom('traceId', 'traceId', 'traceId', loadtestKind),
      message: fc.constantFrom('begin', 'end', 'begin end', 'stop', 'quit', 'x 1'),
      level: fc.constantFrom<Level>('info', 'info', 'error'),
      service: fc.constantFrom('s', 't'),
      isBackfill: fc.constantFrom(false, false, true),
      // How much later than it happened an event arrives, in microseconds.
      late: fc.constantFrom(0, 0, 30_000, 90_000),
      rules: fc.option(fc.constantFrom<RuleSet | null>(ruleSets[0]!, ruleSets[1]!, null), {
        freq: 12,
        nil: undefined,
      }),
      // Now and then somebody changes the settings.
      options: fc.option(optionsArbitrary, { freq: 12, nil: undefined }),
      wait: fc.constantFrom(0, 0, 1, 5, 20, 49, 50, 51, 130, 400),
      // The clock is a year ahead, or was, and is set back.
      jump: fc.option(fc.constantFrom(3e10, -3e10, -5000), { freq: 12, nil: 0 }),
    }),
    {
      maxLength: 120,
      size: 'max',
    },
  )
  .map((steps) => {
    let timestamp = 1e12;
    const records: InputRecord[] = steps.map(
      ({ id, wait, jump, rules, options: set, late, isBackfill, ...fields }, offset) => {
        timestamp += wait + jump;
        if (rules !== undefined) return { offset, timestampMs: timestamp, event: null, rules };
        if (set !== undefined) return { offset, timestampMs: timestamp, event: null, options: set };
        const at = timestamp * 1000 - late;
        return {
          offset,
          timestampMs: timestamp,
          event: id === null ? null : event(offset, id, { ...fields, timestamp: at }),
          isBackfill,
        };
      },
    );
    // Ticks at the end close everything.
    for (let i = 0; i < 4; i++)
      records.push({ offset: records.length, timestampMs: (timestamp += 1000), event: null });
    return records;
  });

describe('every event', () => {
  test('is in exactly one document', () => {
    fc.assert(
      fc.property(recordsArbitrary, optionsArbitrary, (records, opts) => {
        const members = newest(run(records, opts)).flatMap(memberOffsets);
        const expected = records.filter((r) => r.event !== null).map((r) => r.offset);
        assert.deepEqual(
          members.sort((a, b) => a - b),
          expected,
        );
      }),
    );
  });

  test('is where a plain simulation puts it', () => {
    fc.assert(
      fc.property(recordsArbitrary, optionsArbitrary, (records, opts) => {
        fc.pre(opts.maxSessions === 1000 && opts.memoryBytes === 1e9);
        fc.pre(opts.backfill === undefined || opts.backfill.memoryBytes === 1e9);
        const plain = records.map(({ rules: _, options: __, ...record }) => record);
        const actual = newest(run(plain, opts)).map((d) => ({
          id: d.id,
          revision: d.revision,
          members: memberOffsets(d),
        }));
        assert.deepEqual(
          actual.sort((a, b) => a.members[0]! - b.members[0]!),
          simulate(plain, opts),
        );
      }),
    );
  });
});

/** The rules of the architecture, written down without any cleverness: at each record, look at every session. */
function simulate(
  records: readonly InputRecord[],
  opts: CorrelateOptions,
): { id: string; revision: number; members: number[] }[] {
  interface Plain {
    correlationId: string;
    isLoadtest: boolean;
    members: number[];
    revision: number;
    openedAt: number;
    activeAt: number;
    open: boolean;
    firstClosedAt: number;
    final: boolean;
    isBackfill: boolean;
    isGraceOver: boolean;
  }
  const all: Plain[] = [];
  const close = (session: Plain, now: number, final: boolean): void => {
    session.open = false;
    session.revision++;
    session.firstClosedAt = Math.min(session.firstClosedAt, now);
    session.final ||= final;
  };
  let now = 0;
  let last = 0;
  let backfilledAt = 0;
  for (const { offset, timestampMs: timestamp, event: member, isBackfill: isMarked } of records) {
    now += Math.max(0, timestamp - last);
    last = timestamp;
    for (const g of all) {
      const { idleMs, maxMs } = g.isBackfill ? opts.backfill! : opts;
      const activeAt = g.isBackfill ? backfilledAt : g.activeAt;
      if (g.open && (now - activeAt >= idleMs || now - g.openedAt >= maxMs)) close(g, now, false);
    }
    for (const g of all) {
      const { graceMs } = g.isBackfill ? opts.backfill! : opts;
      const graceFrom = g.isBackfill ? backfilledAt : g.firstClosedAt;
      g.isGraceOver ||= g.firstClosedAt < Infinity && now - graceFrom >= graceMs;
      g.final ||= g.isGraceOver && !g.open;
    }
    if (member === null) continue;
    const isLoadtest = member.correlationKind === loadtestKind;
    const isBackfill = isMarked === true && opts.backfill !== undefined;
    if (isBackfill) backfilledAt = now;
    let session = all.find(
      (g) =>
        g.correlationId === member.correlationId &&
        g.isLoadtest === isLoadtest &&
        g.isBackfill === isBackfill &&
        (g.open || !g.final),
    );
    if (session === undefined) {
      session = {
        correlationId: member.correlationId!,
        isLoadtest,
        members: [],
        revision: 0,
        openedAt: now,
        activeAt: now,
        open: true,
        firstClosedAt: Infinity,
        final: false,
        isBackfill,
        isGraceOver: false,
      };
      all.push(session);
    } else if (!session.open) {
      session.open = true;
      session.openedAt = now;
    }
    session.activeAt = now;
    session.members.push(offset);
    if (session.members.length >= opts.maxEvents) close(session, now, true);
  }
  return all.map((g) => ({ id: `log-0-${g.members[0]}`, revision: g.revision, members: g.members }));
}

describe('a backfill', () => {
  const options: CorrelateOptions = {
    idleMs: 50,
    maxMs: 300,
    graceMs: 120,
    maxEvents: 100,
    maxSessions: 1000,
    memoryBytes: 1e9,
    backfill: { idleMs: 200, maxMs: 10_000, graceMs: 5000, memoryBytes: 1e9 },
  };
  /** The events of these ids, one file after the other, each with a pause behind it. */
  const filesOf = (pauseMs: number, ...files: string[][]): InputRecord[] => {
    const records: InputRecord[] = [];
    let timestampMs = 0;
    for (const ids of files) {
      for (const id of ids)
        records.push({
          offset: records.length,
          timestampMs: (timestampMs += 10),
          event: event(records.length, id),
          isBackfill: true,
        });
      records.push({ offset: records.length, timestampMs: (timestampMs += pauseMs), event: null });
    }
    return [...records, { offset: records.length, timestampMs: timestampMs + 60_000, event: null }];
  };

  test('of files one after another makes one document per request, at its first close', () => {
    const documents = run(filesOf(150, ['a', 'b', 'c'], ['a', 'b'], ['b', 'c']), options);
    assert.deepEqual(
      documents.map((d) => [d.correlationId, d.revision, d.closeReason, d.backfill, memberOffsets(d)]),
      [
        ['a', 1, 'idle', true, [0, 4]],
        ['b', 1, 'idle', true, [1, 5, 7]],
        ['c', 1, 'idle', true, [2, 8]],
      ],
    );
  });

  test('that pauses for longer revises the same documents', () => {
    const documents = run(filesOf(1000, ['a', 'b'], ['a'], ['b', 'a']), options);
    assert.deepEqual(
      newest(documents).map((d) => [d.correlationId, d.revision, memberOffsets(d)]),
      [
        ['a', 3, [0, 3, 6]],
        ['b', 2, [1, 5]],
      ],
    );
  });

  test('beyond its memory closes those idle longest for good, and leaves live requests alone', () => {
    const ids = Array.from({ length: 20 }, (_, i) => `request-${i}`);
    const records: InputRecord[] = [{ offset: 0, timestampMs: 0, event: event(0, 'live') }];
    for (const record of filesOf(0, ids)) records.push({ ...record, offset: record.offset + 1 });
    const documents = run(records, { ...options, backfill: { ...options.backfill!, memoryBytes: 10_000 } });
    const evicted = documents.filter(({ closeReason }) => closeReason === 'evicted');
    assert.deepEqual(
      evicted.map(({ correlationId, final }) => [correlationId, final]),
      ids.slice(0, evicted.length).map((id) => [id, true]),
    );
    assert.ok(evicted.length > 5 && evicted.length < 15);
    assert.deepEqual(
      documents.filter((d) => !d.backfill).map((d) => [d.correlationId, d.closeReason, d.final]),
      [['live', 'idle', false]],
    );
  });

  test('leaves the documents of live requests as they are without it', () => {
    const live = (records: readonly InputRecord[], opts: CorrelateOptions): Partial<Correlation>[] =>
      run(records, opts)
        .filter(({ backfill }) => !backfill)
        // It counts all closes at a record.
        .map(({ closeSequence: _, ...document }) => document);
    fc.assert(
      fc.property(recordsArbitrary, optionsArbitrary, backfillArbitrary, (records, opts, backfill) => {
        // Throughout, events that are marked are told apart.
        const marked = records.map((record) =>
          record.options === undefined ? record : { ...record, options: { ...record.options, backfill } },
        );
        const without = marked.map((record) =>
          record.isBackfill === true ? { ...record, event: null } : record,
        );
        const told = { ...opts, backfill };
        assert.deepEqual(live(marked, told), live(without, told));
      }),
    );
  });

  test('waits for what a rule expects until a request closes', () => {
    const rules = parseRules(
      "rules: [{ name: hung, when: 'message:begin', without: 'message:end', within: 10ms, alert: true }]",
    );
    assert.ok(rules.ok);
    const backfilled = (offset: number, timestampMs: number, id: string, message: string): InputRecord => ({
      offset,
      timestampMs,
      event: event(offset, id, { message, timestamp: 1000 * offset }),
      isBackfill: true,
    });
    const correlate = new Correlate(0, options, { rules: rules.rules });
    const documents: Correlation[] = [];
    const alerts: Alert[] = [];
    for (const record of [
      backfilled(0, 0, 'whole', 'begin'),
      backfilled(1, 1, 'hung', 'begin'),
      // Of the next file.
      backfilled(2, 150, 'whole', 'end'),
      { offset: 3, timestampMs: 1000, event: null },
    ])
      correlate.apply(record, documents, alerts);
    assert.deepEqual(
      documents.map((d) => [d.correlationId, d.rules]),
      [
        ['hung', ['hung']],
        ['whole', []],
      ],
    );
    assert.deepEqual(alerts, [], 'nobody is to be called for what happened earlier');
    assert.equal(correlate.openWaits, 0);
  });
});

describe('a load test', () => {
  test('shares no session with events that have the same ids, and raises no alert', () => {
    const rules = parseRules("rules: [{ name: failing, when: 'level:error', alert: true }]");
    assert.ok(rules.ok);
    const member = (offset: number, correlationKind: string): InputRecord => ({
      offset,
      timestampMs: offset,
      event: event(offset, 'a', { level: 'error', correlationKind }),
    });
    const correlate = new Correlate(0, options);
    const documents: Correlation[] = [];
    const alerts: Alert[] = [];
    const records: InputRecord[] = [
      { offset: 0, timestampMs: 0, event: null, rules: rules.rules },
      ...['traceId', loadtestKind, loadtestKind, 'traceId'].map((kind, i) => member(i + 1, kind)),
      { offset: 5, timestampMs: 1000, event: null },
    ];
    for (const record of records) correlate.apply(record, documents, alerts);
    assert.deepEqual(
      documents.map((d) => [d.kind, memberOffsets(d), d.rules]),
      [
        [loadtestKind, [2, 3], ['failing']],
        ['traceId', [1, 4], ['failing']],
      ],
    );
    assert.deepEqual(
      alerts.map(({ rule }) => rule),
      ['failing'],
    );
  });
});

describe('a crash', () => {
  // Where it strikes: before the output is appended, after a part of it, after all of it, after the commit.
  const crashArbitrary = fc.record({
    afterRecords: fc.nat(40),
    appendedPart: fc.constantFrom(0, 0.5, 1),
    alertedPart: fc.constantFrom(0, 0.5, 1),
    committed: fc.boolean(),
  });

  test('at any points gives the same documents as none', () => {
    fc.assert(
      fc.property(
        recordsArbitrary,
        optionsArbitrary,
        fc.array(crashArbitrary, { maxLength: 8 }),
        fc.integer({ min: 1, max: 15 }),
        (records, opts, crashes, batchSize) => {
          const output: Output = { documents: [], alerts: [] };
          let commit: Committed = { offset: 0, output: 0 };
          for (const crash of [...crashes, null]) {
            commit = runUntil(records, opts, output, commit, crash, batchSize);
          }
          const expected: Output = { documents: [], alerts: [] };
          const correlate = new Correlate(0, opts);
          for (const record of records) correlate.apply(record, expected.documents, expected.alerts);
          assert.deepEqual(output, expected);
          assert.deepEqual(
            [correlate.openSessions, correlate.openWaits, correlate.lowWaterMark, correlate.bytes],
            [0, 0, null, 0],
          );
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('of which documents are lost too puts every event in exactly one again, in close order', () => {
    fc.assert(
      fc.property(
        recordsArbitrary,
        optionsArbitrary,
        fc.func(fc.constantFrom(true, true, false)),
        fc.option(fc.nat(20), { nil: Infinity }),
        (records, opts, isKept, end) => {
          const documents = run(records, opts).filter((document, i) => isKept(document.id, i) && i < end);
          const output: Output = { documents, alerts: [] };
          runUntil(records, opts, output, { offset: 0, output: 0 }, null, 10, true);
          const closes = output.documents.map((d) => [d.closeOffset, d.closeSequence] as const);
          assert.deepEqual(
            closes,
            closes.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
          );
          assert.deepEqual(
            newest(output.documents)
              .flatMap(memberOffsets)
              .sort((a, b) => a - b),
            records.filter((r) => r.event !== null).map((r) => r.offset),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('after which a document is there, but not the one before it of its session, which is overdue: no event is taken out of it', () => {
    const opts = { ...options, idleMs: 50, maxMs: 60, graceMs: 1, maxEvents: 2 };
    const records: InputRecord[] = [
      { offset: 0, timestampMs: 0, event: event(0, 'b') },
      { offset: 1, timestampMs: 50, event: event(1, 'a') },
      { offset: 2, timestampMs: 50, event: event(2, 'b') },
      { offset: 3, timestampMs: 500, event: null },
    ];
    const written = run(records, opts);
    const members = (documents: readonly Correlation[]): number[][] => documents.map(memberOffsets);
    assert.deepEqual(members(written), [[0], [0, 2], [1]]);
    const output: Output = { documents: [written[1]!], alerts: [] };
    runUntil(records, opts, output, { offset: 0, output: 0 }, null, 10, true);
    assert.deepEqual(members(output.documents), [[0, 2], [1]]);
  });

  interface Output {
    documents: Correlation[];
    alerts: Alert[];
  }

  interface Crash {
    afterRecords: number;
    appendedPart: number;
    alertedPart: number;
    committed: boolean;
  }

  interface Committed {
    offset: number;
    output: number;
    rules?: number;
    options?: number;
    clock?: ClockState;
  }

  function runUntil(
    records: readonly InputRecord[],
    opts: CorrelateOptions,
    output: Output,
    commit: Committed,
    crash: Crash | null,
    batchSize: number,
    isLossy = false,
  ): Committed {
    const written = output.documents.slice(commit.output);
    const rules = commit.rules === undefined ? null : records[commit.rules]!.rules!;
    const inForce = commit.options === undefined ? opts : records[commit.options]!.options!;
    const documentsWritten = new WrittenDocuments(
      written.reduce<WrittenEnd | undefined>(endAfter, undefined),
      isLossy ? new Set(written.map(({ firstOffset }) => firstOffset)) : undefined,
    );
    const ahead = [...written];
    const correlate = new Correlate(0, inForce, { rules, clock: commit.clock, written: documentsWritten });
    const restart = new RestartPoint(commit.offset, commit.output, commit);
    written.forEach((d, i) => restart.documentWritten(commit.output + i, memberOffsets(d).at(-1)!));
    const stopAt = crash === null ? Infinity : commit.offset + crash.afterRecords;
    let last = commit;
    for (let next = commit.offset; next < records.length; next += batchSize) {
      const batch = records.slice(next, next + batchSize);
      const documents: Correlation[] = [];
      const alerts: Alert[] = [];
      for (const record of batch) {
        while (ahead.length > 0 && ahead[0]!.closeOffset <= record.offset)
          documentsWritten.push(toWrittenClose(ahead.shift()!));
        correlate.apply(record, documents, alerts);
      }
      const dies = next + batch.length > stopAt;
      const part = dies ? documents.slice(0, Math.ceil(documents.length * crash!.appendedPart)) : documents;
      for (const document of part) {
        restart.documentWritten(output.documents.length, memberOffsets(document).at(-1)!);
        output.documents.push(document);
      }
      if (dies && part.length < documents.length) return last;
      // What is not ahead of the last alert is there already.
      const fresh = alerts.filter((alert) => isAhead(alert, output.alerts.at(-1)));
      output.alerts.push(...(dies ? fresh.slice(0, Math.ceil(fresh.length * crash!.alertedPart)) : fresh));
      if (dies && !crash!.committed) return last;
      if (dies && crash!.alertedPart < 1) return last;
      restart.batchApplied(
        batch.at(-1)!.offset + 1,
        {
          rules: batch.findLast((record) => record.rules !== undefined)?.offset,
          options: batch.findLast((record) => record.options !== undefined)?.offset,
        },
        correlate.time.state,
      );
      const planned = restart.next(correlate.lowWaterMark);
      if (planned !== null) {
        const metadata = JSON.parse(planned.metadata) as Omit<Committed, 'offset'>;
        last = { offset: planned.offset, ...metadata };
      }
      if (dies) return last;
    }
    return last;
  }

  function isAhead(alert: Alert, last: Alert | undefined): boolean {
    if (last === undefined) return true;
    const order =
      alert.closeOffset - last.closeOffset ||
      alert.closeSequence - last.closeSequence ||
      alert.index - last.index;
    return order > 0;
  }
});

test('memory: a session that is done is forgotten, and the low-water mark moves on', () => {
  const correlate = new Correlate(0, options);
  const output: Correlation[] = [];
  for (let i = 0; i < 1000; i++)
    correlate.apply({ offset: i, timestampMs: i * 10, event: event(i, `id-${i}`) }, output);
  assert.ok(correlate.lowWaterMark! > 980, `low-water mark ${correlate.lowWaterMark}`);
  correlate.apply({ offset: 1000, timestampMs: 1e6, event: null }, output);
  correlate.apply({ offset: 1001, timestampMs: 2e6, event: null }, output);
  assert.deepEqual(
    [correlate.openSessions, correlate.lowWaterMark, correlate.nextDeadlineMs, output.length],
    [0, null, null, 1000],
  );
});
