import { alertFingerprint, topics, type Alert, type Silence } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertRecord, silenceRecord, windowRecord } from '../testing/alert-records.ts';
import { openRig, partitions } from '../testing/jobs-rig.ts';
import type { AlertState } from './alert-state.ts';
import { AlertBook } from './alert-book.ts';
import { AlertLogReader } from './alert-log-reader.ts';
import { keepAlerts, type KeepAlertsDeps } from './keep-alerts.ts';
import { parseToldUpTo } from './told-up-to.ts';

const hourMs = 3_600_000;

type Rig = Awaited<ReturnType<typeof openRig>>;

/** Runs the group of the alerts until `until` holds. */
async function keep(
  { log, serde, logger }: Rig,
  tell: KeepAlertsDeps['tell'],
  until: () => Promise<boolean>,
  rest: Partial<KeepAlertsDeps> = {},
): Promise<void> {
  const stop = new AbortController();
  const running = log.consume(
    {
      group: 'alerts',
      topics: [topics.alerts],
      maxRecords: 3,
      open: async (assignment) => {
        const commitAll = (each: typeof assignment) => ({
          process: async (records: { offset: number }[]) => each.commit(records.at(-1)!.offset + 1),
        });
        if (assignment.partition !== 0) return commitAll(assignment);
        return keepAlerts(
          { log, serde, logger, tell, limitBytes: 2 ** 20, retentionMs: undefined, nowMs: Date.now, ...rest },
          assignment,
          commitAll,
        );
      },
    },
    stop.signal,
  );
  const failed = running.then(
    () => false,
    () => true,
  );
  try {
    await eventually(
      'what is waited for',
      async () => (await Promise.race([failed, until()])) === true,
      15_000,
    );
  } finally {
    stop.abort();
    await running.catch(() => {});
  }
}

async function append({ log, serde }: Rig, alerts: readonly Alert[], partition = 0): Promise<void> {
  await log.append(
    topics.alerts,
    alerts.map((each) => ({ partition, key: null, value: serde.encode('Alert', each) })),
  );
}

async function appendSilence({ log, serde }: Rig, silence: Silence): Promise<void> {
  await log.append(topics.alerts, [{ partition: 0, key: null, value: serde.encode('Silence', silence) }]);
}

/** What a process that has only the log knows. */
async function rebuilt({ log, serde }: Rig): Promise<AlertBook> {
  const book = new AlertBook({ limitBytes: 2 ** 20 });
  await new AlertLogReader({ log, serde }, book).readTo();
  return book;
}

/** Takes what is told as a receiver does: what is not newer than what it knows is old news. */
function createReceiver() {
  const told: string[] = [];
  const known = new Map<string, number>();
  const tell: KeepAlertsDeps['tell'] = async (alerts) => {
    for (const alert of alerts) {
      if (alert.revision <= (known.get(alert.fingerprint) ?? -1)) continue;
      known.set(alert.fingerprint, alert.revision);
      told.push(named(alert));
    }
  };
  return { told, tell };
}

const named = ({ rule, state, silencedBy }: AlertState): string =>
  [rule, state, ...(silencedBy.length > 0 ? ['silenced'] : [])].join(' ');

test('alerts of all partitions are told, and end by a record of the log', async () => {
  await using rig = await openRig();
  const { told, tell } = createReceiver();
  await append(rig, [alertRecord(1, { resolveAfterMs: 50 }), windowRecord(1, 'pending')]);
  await append(
    rig,
    [alertRecord(2, { resolveAfterMs: 50 }), windowRecord(3, 'firing', { key: { service: 'web' } })],
    1,
  );
  await keep(rig, tell, async () => told.includes('errors resolved'));
  assert.deepEqual(told.sort(), ['errors firing', 'errors resolved', 'rate firing']);
  const alerts = (await rebuilt(rig))
    .alerts()
    .map(({ rule, state, occurrences }) => `${rule} ${state} ${occurrences}`);
  assert.deepEqual(alerts.sort(), ['errors resolved 2', 'rate firing 1', 'rate pending 0']);
});

test('whoever takes the book over tells what was not told yet, and nothing twice', async () => {
  await using rig = await openRig();
  const { told, tell } = createReceiver();
  const all = async (count: number): Promise<boolean> => told.length === count;
  const isCommitted = async (): Promise<boolean> =>
    parseToldUpTo((await rig.log.committed('alerts', topics.alerts))[0]?.metadata)?.offsets[1] === 1;
  await append(rig, [windowRecord(1, 'firing')], 1);
  await keep(rig, tell, async () => (await all(1)) && isCommitted());
  await append(rig, [windowRecord(2, 'resolved')], 1);
  await append(rig, [alertRecord(1)]);
  await keep(rig, tell, () => all(3));
  // Two partitions may have records of the same millisecond.
  assert.deepEqual(told.sort(), ['errors firing', 'rate firing', 'rate resolved']);
});

test('what happens after the first start is told, however late the next owner comes', async () => {
  await using rig = await openRig();
  const { told, tell } = createReceiver();
  let nowMs = Date.now();
  let looks = 0;
  const rest = { nowMs: () => nowMs, observe: () => void looks++ };
  await keep(rig, tell, async () => looks > 0, rest);
  await append(rig, [windowRecord(1, 'firing'), windowRecord(2, 'resolved')], 1);
  nowMs += hourMs;
  await keep(rig, tell, async () => told.length > 1, rest);
  assert.deepEqual(told, ['rate firing', 'rate resolved']);
});

test('the first owner knows of the silences that began long before', async () => {
  await using rig = await openRig();
  const { told, tell } = createReceiver();
  const nowMs = Date.now() + hourMs;
  await appendSilence(rig, silenceRecord('s', { startsAt: nowMs - 2 * hourMs }));
  await append(rig, [alertRecord(1, { resolveAfterMs: 2 * hourMs })]);
  let looks = 0;
  await keep(rig, tell, async () => looks > 0, { nowMs: () => nowMs, observe: () => void looks++ });
  assert.deepEqual(told, ['errors firing silenced']);
});

test('a silence that ended while nobody was there is told', async () => {
  await using rig = await openRig();
  const { told, tell } = createReceiver();
  let nowMs = Date.now();
  const clock = { nowMs: () => nowMs };
  await appendSilence(rig, silenceRecord('s', { endsAt: nowMs + 60_000 }));
  await append(rig, [alertRecord(1)]);
  const isRead = async (): Promise<boolean> =>
    (await rig.log.committed('alerts', topics.alerts))[0]?.offset === 2;
  await keep(rig, tell, isRead, clock);
  assert.deepEqual(told, ['errors firing silenced']);
  nowMs += 61_000;
  const isCommitted = async (): Promise<boolean> =>
    told.length > 1 &&
    (await rig.log.committed('alerts', topics.alerts))[0]!.metadata.includes(String(nowMs));
  await keep(rig, tell, isCommitted, clock);
  nowMs += 1000;
  await append(rig, [alertRecord(2, { rule: 'other' })]);
  await keep(rig, tell, async () => told.length > 2, clock);
  assert.deepEqual(told, ['errors firing silenced', 'errors firing', 'other firing']);
});

test('what still goes on is repeated before retention removes it', async () => {
  await using rig = await openRig();
  const { log, serde } = rig;
  await appendSilence(rig, silenceRecord('kept', { matchers: ['alertname=rate'] }));
  await append(rig, [windowRecord(1, 'firing'), windowRecord(2, 'firing', { startsAt: 1000 })]);
  const acknowledgement = {
    fingerprint: alertFingerprint('rate', { service: 'payment' }),
    rule: 'rate',
    author: 'ada',
    note: 'on it',
    at: 1,
    startsAt: 1000,
  };
  await log.append(topics.alerts, [
    { partition: 0, key: null, value: serde.encode('Acknowledgement', acknowledgement) },
  ]);
  const before = (await rebuilt(rig)).alerts();
  const [end] = await log.endOffsets(topics.alerts);
  const repeated = async (): Promise<boolean> => (await log.endOffsets(topics.alerts))[0]! >= end! + 3;
  await keep(rig, async () => {}, repeated, { retentionMs: 1000, nowMs: () => Date.now() + 60_000 });
  // As if the records before had been trimmed.
  const book = new AlertBook({ limitBytes: 2 ** 20 });
  const without = {
    startOffsets: async () => [end!, 0],
    endOffsets: log.endOffsets.bind(log),
    epochOf: log.epochOf.bind(log),
    read: log.read.bind(log),
  };
  await new AlertLogReader({ log: without, serde }, book).readTo();
  const plain = book.alerts().map(({ revision: _, ...alert }) => alert);
  assert.deepEqual(
    plain,
    before.map(({ revision: _, ...alert }) => alert),
  );
  assert.deepEqual(
    book.silences().map(({ silence }) => silence.id),
    ['kept'],
  );
});

test('through kills at any point the log says the same, and every change is told', async () => {
  const alive = fc.array(
    fc.record({ rule: fc.constantFrom('a', 'b', 'c'), partition: fc.nat(partitions - 1) }),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  const deaths = fc.array(fc.record({ calls: fc.nat(4), lateMs: fc.constantFrom(0, hourMs) }), {
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(alive, deaths, async (raised, kills) => {
      await using rig = await openRig();
      for (const [i, { rule, partition }] of raised.entries())
        await append(rig, [alertRecord(i + 1, { rule, resolveAfterMs: 1 })], partition);
      const told = new Set<string>();
      const left = [...kills];
      const beganMs = performance.now();
      let lateMs = 0;
      // The second between two looks is over soon.
      const nowMs = (): number => Date.now() + 100 * (performance.now() - beganMs) + lateMs;
      const rules = [...new Set(raised.map(({ rule }) => rule))];
      const wanted = rules.flatMap((rule) => [`${rule} firing`, `${rule} resolved`]);
      const isDone = async (): Promise<boolean> => wanted.every((change) => told.has(change));
      while (!(await isDone())) {
        // This owner comes late, perhaps, and ends at its nth call, before or after it was handed on.
        const kill = left.shift();
        let calls = kill?.calls ?? Infinity;
        lateMs += kill?.lateMs ?? 0;
        await keep(
          rig,
          async (alerts) => {
            if (calls-- <= 0) throw new Error('killed');
            alerts.forEach((alert) => told.add(named(alert)));
            if (calls-- <= 0) throw new Error('killed');
          },
          isDone,
          { nowMs },
        );
      }
      assert.deepEqual([...told].sort(), wanted.sort());
      const alerts = (await rebuilt(rig)).alerts();
      const counts = Map.groupBy(raised, ({ rule }) => rule);
      assert.deepEqual(
        alerts.map(({ rule, state, occurrences }) => [rule, state, occurrences]).sort(),
        [...counts].map(([rule, of]) => [rule, 'resolved', of.length]).sort(),
      );
    }),
    { numRuns: 8 },
  );
});
