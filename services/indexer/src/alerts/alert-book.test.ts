import { alertFingerprint, type Alert } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acknowledgementRecord,
  alertRecord,
  anAcknowledgement,
  anAlert,
  aSilence,
  placed,
  silenceRecord,
  windowRecord,
} from '../testing/alert-records.ts';
import { AlertBook, type AlertChange, type BookRecord } from './alert-book.ts';
import type { AlertState } from './alert-state.ts';

const newBook = (limitBytes = 2 ** 20): AlertBook => new AlertBook({ limitBytes });
const minuteMs = 60_000;

/** What happened, in few words. */
const shown = (changes: readonly AlertChange[]): string[] =>
  changes.map(({ kind, alert }) =>
    [alert.rule, kind, alert.state, ...(alert.silencedBy.length > 0 ? ['silenced'] : [])].join(' '),
  );

const applyAll = (book: AlertBook, records: readonly BookRecord[]): string[] =>
  records.flatMap((record) => shown(book.apply(record)));

test('a rule over one request fires once, counts what follows, and resolves after its time without a match', () => {
  const book = newBook();
  const records = placed(
    [1, 2, 3, 4, 5, 6, 7].map((n) => anAlert(alertRecord(n, { resolveAfterMs: minuteMs }))),
  );
  assert.deepEqual(applyAll(book, records), ['errors state firing']);
  const [alert] = book.alerts();
  assert.deepEqual(
    { ...alert, revision: 0 },
    {
      fingerprint: alertFingerprint('errors'),
      rule: 'errors',
      rulesVersion: 'v',
      state: 'firing',
      scope: 'request',
      severity: 'high',
      labels: { team: 'shop', alertname: 'errors', severity: 'high' },
      message: 'errors matched',
      condition: '',
      value: null,
      startsAt: 1000,
      endsAt: null,
      lastAt: 7000,
      occurrences: 7,
      examples: ['c7', 'c6', 'c5', 'c4', 'c3'],
      services: ['shop'],
      silencedBy: [],
      acknowledged: null,
      revision: 0,
    },
  );
  book.tick(7000 + minuteMs - 1);
  assert.deepEqual(book.due(), []);
  book.tick(7000 + minuteMs);
  const due = book.due();
  assert.deepEqual(
    due.map(({ partition, alert: { state, endsAt, closeOffset, occurrences, writer } }) => [
      partition,
      state,
      endsAt,
      closeOffset,
      occurrences,
      writer,
    ]),
    [[0, 'resolved', 7000 + minuteMs, 6, 7, 'book']],
  );
  const end: BookRecord = {
    name: 'Alert',
    value: due[0]!.alert,
    partition: 0,
    offset: 7,
    timestampMs: 70_000,
    epoch: 'e',
  };
  assert.deepEqual(shown(book.apply(end)), ['errors state resolved']);
  assert.deepEqual(shown(book.apply({ ...end, offset: 8 })), [], 'another owner said the same');
  const again = placed([anAlert(alertRecord(9))], { fromMs: 80_000 });
  assert.deepEqual(applyAll(book, again), ['errors state firing']);
  assert.deepEqual([book.alerts()[0]!.startsAt, book.alerts()[0]!.occurrences], [9000, 1]);
});

test('an alert that matched again before its end was written goes on', () => {
  const book = newBook();
  const [first, second] = placed([1, 2].map((n) => anAlert(alertRecord(n, { resolveAfterMs: 100 })))) as [
    BookRecord,
    BookRecord,
  ];
  book.apply(first);
  book.tick(1500);
  const [due] = book.due();
  book.apply(second);
  const end: BookRecord = {
    name: 'Alert',
    value: due!.alert,
    partition: 0,
    offset: 2,
    timestampMs: 2000,
    epoch: 'e',
  };
  assert.deepEqual(book.apply(end), []);
  assert.equal(book.alerts()[0]!.state, 'firing');
});

test('a rule over a window is pending, fires and is resolved as its records say; one that never fired is gone', () => {
  const book = newBook();
  const states = ['pending', 'firing', 'firing', 'resolved', 'pending', 'resolved'];
  const records = placed(
    states.map((state, i) => anAlert(windowRecord(i + 1, state, { startsAt: i < 4 ? 1000 : 5000 }))),
  );
  assert.deepEqual(applyAll(book, records.slice(0, 1)), []);
  assert.equal(book.alerts()[0]!.state, 'pending');
  assert.deepEqual(applyAll(book, records.slice(1, 4)), ['rate state firing', 'rate state resolved']);
  const [alert] = book.alerts();
  assert.deepEqual(
    [alert!.startsAt, alert!.endsAt, alert!.occurrences, alert!.labels['service']],
    [1000, 4000, 2, 'payment'],
  );
  assert.deepEqual(book.due(), [], 'its own writer ends it');
  applyAll(book, records.slice(4));
  assert.deepEqual(book.alerts(), []);
});

test('two rules that match the same request each have their own severity and labels', () => {
  const book = newBook();
  const both = [
    alertRecord(1, { rule: 'slow', severity: 'low', labels: { team: 'web' } }),
    alertRecord(1, { rule: 'failed', severity: 'critical', labels: { team: 'shop' }, index: 1 }),
  ];
  applyAll(book, placed(both.map(anAlert)));
  assert.deepEqual(
    book.alerts().map(({ labels }) => labels),
    [
      { team: 'web', alertname: 'slow', severity: 'low' },
      { team: 'shop', alertname: 'failed', severity: 'critical' },
    ],
  );
});

test('a record that repeats another counts once; a record of an earlier release counts', () => {
  const book = newBook();
  const old = { ...alertRecord(1), fingerprint: '', examples: [] };
  applyAll(book, placed([old, old, alertRecord(2), old].map(anAlert)));
  const [alert, ...others] = book.alerts();
  assert.deepEqual([others, alert!.occurrences, alert!.examples], [[], 2, ['c2', 'c1']]);
});

test('nobody is told of an alert while it is silenced; when the silence ends it is', () => {
  const book = newBook();
  const silence = silenceRecord('s', { matchers: ['team=shop', 'severity=~high|critical'], endsAt: 10_000 });
  const records = placed([
    aSilence(silence),
    anAlert(alertRecord(1)),
    anAlert(alertRecord(2, { rule: 'other', labels: {} })),
  ]);
  assert.deepEqual(applyAll(book, records), ['errors state firing silenced', 'other state firing']);
  assert.deepEqual(shown(book.tick(9_999)), []);
  assert.deepEqual(shown(book.tick(10_000)), ['errors silences firing']);
  const ended = placed([aSilence({ ...silence, endsAt: null })], { fromMs: 11_000 });
  assert.deepEqual(applyAll(book, ended), ['errors silences firing silenced']);
});

test('a clock that was hours ahead ends a silence only until it is set back, and the next ones hold too', () => {
  const book = newBook();
  const hourMs = 60 * minuteMs;
  const silence = silenceRecord('s', { matchers: ['team=shop'], startsAt: 0, endsAt: hourMs });
  applyAll(book, placed([aSilence(silence), anAlert(alertRecord(1, { resolveAfterMs: 24 * hourMs }))]));
  const other = placed([anAlert(alertRecord(2, { rule: 'other', labels: {} }))], { fromMs: 5 * hourMs });
  assert.deepEqual(applyAll(book, other), ['errors silences firing', 'other state firing']);
  const setBack = book.tick(minuteMs);
  assert.deepEqual(shown(setBack), ['errors silences firing silenced']);
  assert.ok(setBack[0]!.alert.revision > hourMs, 'its revision grows all the same');
  const next = silenceRecord('t', { matchers: ['alertname=other'], startsAt: 0, endsAt: 2 * hourMs });
  const silenced = applyAll(book, placed([aSilence(next)], { fromMs: 2 * minuteMs }));
  assert.deepEqual(silenced, ['other silences firing silenced']);
  assert.deepEqual(shown(book.tick(hourMs)), ['errors silences firing']);
});

test('revisions grow, and follow from the log and the silences, not from when somebody looks', () => {
  const records = placed([
    anAlert(alertRecord(1)),
    aSilence(silenceRecord('s', { startsAt: 2500, endsAt: 2600 })),
    anAlert(windowRecord(1, 'firing')),
    anAlert(windowRecord(2, 'resolved')),
  ]);
  const revisions = (looks: readonly number[]): number[] => {
    const book = newBook();
    const changes = records.flatMap((record) => {
      const seen = looks.filter((atMs) => atMs < record.timestampMs).flatMap((atMs) => book.tick(atMs));
      return [...seen, ...book.apply(record)];
    });
    return changes.filter(({ alert }) => alert.rule === 'rate').map(({ alert }) => alert.revision);
  };
  assert.deepEqual(revisions([]), [3000, 4000]);
  assert.deepEqual(revisions([2550, 2590, 2700, 3500]), [3000, 4000]);
  const book = newBook();
  records.slice(0, 2).forEach((record) => book.apply(record));
  const begun = book.tick(2599);
  const ended = book.tick(9000);
  assert.deepEqual(
    [...begun, ...ended].map(({ kind, alert }) => [kind, alert.revision]),
    [
      ['silences', 2500],
      ['silences', 2600],
    ],
  );
});

test('an acknowledgement ends with the alert, and one of an earlier alert does not count', () => {
  const book = newBook();
  const fingerprint = alertFingerprint('rate', { service: 'payment' });
  const acknowledged = anAcknowledgement(acknowledgementRecord(fingerprint));
  const records = placed([
    acknowledged,
    anAlert(windowRecord(1, 'firing')),
    acknowledged,
    acknowledged,
    anAlert(windowRecord(2, 'resolved')),
    anAlert(windowRecord(3, 'firing')),
  ]);
  assert.deepEqual(applyAll(book, records.slice(0, 4)), ['rate state firing', 'rate acknowledged firing']);
  assert.deepEqual(book.get(fingerprint)!.acknowledged, { author: 'ada', note: 'on it', at: 0 });
  applyAll(book, records.slice(4));
  assert.equal(book.get(fingerprint)!.acknowledged, null);
  const late = placed([acknowledged], { fromMs: 3000 });
  assert.deepEqual(applyAll(book, late), [], 'it was written before this alert started');
});

test('beyond its memory the resolved alerts go first, then new ones are not taken, which is counted', () => {
  let told = 0;
  const book = new AlertBook({ limitBytes: 20_000, onDropped: () => told++ });
  const alerts = (from: number, state: string): Alert[] =>
    Array.from({ length: 40 }, (_, i) =>
      windowRecord(from + i, state, { key: { service: `s${from + i}` }, fingerprint: `f${from + i}` }),
    );
  for (const each of alerts(1, 'firing').slice(0, 5))
    applyAll(
      book,
      placed([anAlert(each), anAlert({ ...each, state: 'resolved', closeOffset: 999, endsAt: each.at })]),
    );
  assert.ok(book.alerts().some(({ state }) => state === 'resolved'));
  applyAll(book, placed(alerts(100, 'firing').map(anAlert), { fromMs: 10_000 }));
  const states = book.alerts().map(({ state }) => state);
  assert.ok(states.every((state) => state === 'firing') && states.length > 3, states.join());
  assert.ok(book.bytes <= 20_000);
  assert.equal(book.dropped, 40 - states.length);
  assert.equal(told, book.dropped);
});

test('resolved alerts and ended silences are forgotten after their time', () => {
  const book = newBook();
  applyAll(
    book,
    placed([
      anAlert(windowRecord(1, 'firing')),
      anAlert(windowRecord(2, 'resolved')),
      aSilence(silenceRecord('s', { endsAt: 5000 })),
    ]),
  );
  const dayMs = 86_400_000;
  book.tick(dayMs);
  assert.equal(book.alerts().length, 1);
  book.tick(dayMs + 3 * minuteMs);
  assert.deepEqual([book.alerts(), book.silences().map(({ state }) => state)], [[], ['expired']]);
  book.tick(6 * dayMs);
  assert.deepEqual(book.silences(), []);
  assert.equal(book.bytes, 0);
});

test('the order in which partitions are read changes nothing', () => {
  const rules = ['a', 'b'];
  // Per partition, what happens to which rule.
  const steps = fc.array(
    fc.tuple(fc.constantFrom(...rules), fc.constantFrom('raise', 'raise', 'end', 'stale')),
    { maxLength: 12 },
  );
  const partitions = fc.array(steps, { minLength: 1, maxLength: 3 });
  const recordsOf = (all: readonly (readonly [string, string])[][]): BookRecord[][] =>
    all.map((stepsOfOne, partition) => {
      const lastOffset = new Map<string, number>();
      return placed(
        stepsOfOne.map(([rule, what], offset) => {
          if (what === 'raise') {
            lastOffset.set(rule, offset);
            return anAlert(alertRecord(offset + 10 * partition, { rule, closeOffset: offset }));
          }
          const closeOffset = (lastOffset.get(rule) ?? 0) - (what === 'stale' ? 1 : 0);
          return anAlert(
            alertRecord(offset, { rule, writer: 'book', state: 'resolved', endsAt: 500, closeOffset }),
          );
        }),
        { partition },
      );
    });
  const stateAfter = (records: readonly BookRecord[]): Omit<AlertState, 'revision'>[] => {
    const book = newBook();
    for (const record of records) book.apply(record);
    return book
      .alerts()
      .map(({ revision: _, ...alert }) => alert)
      .sort((x, y) => (x.rule < y.rule ? -1 : 1));
  };
  fc.assert(
    fc.property(partitions, fc.infiniteStream(fc.nat()), (all, picks) => {
      const records = recordsOf(all);
      const left = records.map((each) => [...each]);
      const mixed: BookRecord[] = [];
      while (left.some((each) => each.length > 0)) {
        const open = left.filter((each) => each.length > 0);
        mixed.push(open[(picks.next().value as number) % open.length]!.shift()!);
      }
      assert.deepEqual(stateAfter(mixed), stateAfter(records.flat()));
    }),
  );
});
