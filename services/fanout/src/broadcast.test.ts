import { levels, placeEvent, topics, type Level } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from './batch.ts';
import { Broadcast, type Group, type Member } from './broadcast.ts';
import { eventsStream } from './events-stream.ts';
import type { LiveFilter, LiveItem } from './stream-kind.ts';

const services = ['web', 'pay', 'cart'];
const filterTexts = [
  '*',
  'level:error',
  'level:>=warn',
  'service:pay',
  'service:(pay OR web) AND NOT level:info',
  'message:word1',
  'service:pay AND level:error AND message:word0',
  'attributes.n:>=1',
];

interface Message {
  cursor: string;
  offsets: number[];
}

class Recorder implements Member {
  readonly messages: Message[] = [];

  deliver(batch: Batch): void {
    const length = batch.frame[1]!;
    const header = length < 126 ? 2 : length === 126 ? 4 : 10;
    const { cursor, events } = JSON.parse(batch.frame.toString('utf8', header)) as {
      cursor: string;
      events: { offset: number }[];
    };
    assert.equal(events.length, batch.count);
    this.messages.push({ cursor, offsets: events.map(({ offset }) => offset) });
  }
}

function filterOf(text: string): LiveFilter {
  const compiled = eventsStream.compile(text);
  assert.ok(compiled.ok);
  return compiled.filter;
}

function item(offset: number, level: Level, service: string, message = 'm', attributes = '{}'): LiveItem {
  const source = { kind: 'http', topic: topics.events, partition: 0, offset, index: 0 };
  const ids = { host: null, correlationId: null, correlationKind: null, traceId: null, spanId: null };
  const value = { source, timestamp: 0, receivedAt: 0, level, service, message, attributes, ...ids };
  return eventsStream.item({ name: 'LogEvent', value: placeEvent(value, 0, offset) }, 0, offset, 0, 100)!;
}

/** A broadcast of which the cursor is the number of items accepted. */
function makeBroadcast(flushMs: number): {
  broadcast: Broadcast;
  accept: (next: LiveItem, now: number) => void;
} {
  let accepted = 0;
  let channel = 0;
  const broadcast = new Broadcast({
    stream: 'events',
    flushMs,
    cursor: () => String(accepted),
    nextChannel: () => ++channel,
  });
  return {
    broadcast,
    accept: (next, now) => {
      accepted++;
      broadcast.accept(next, now);
    },
  };
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('event' as const),
      level: fc.constantFrom(...levels),
      service: fc.constantFrom(...services),
      word: fc.nat({ max: 2 }),
      size: fc.constantFrom(1, 1, 1, 40_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('join' as const),
      filter: fc.nat({ max: filterTexts.length - 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), member: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('flush' as const), wait: fc.nat({ max: 40 }) }) },
);

test('every member gets what matches between its join and its leave: once, in order, with true cursors', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(0, 25), (steps, flushMs) => {
      const { broadcast, accept } = makeBroadcast(flushMs);
      const items: LiveItem[] = [];
      const members: {
        recorder: Recorder;
        group: Group;
        filter: LiveFilter;
        from: number;
        to: number | undefined;
      }[] = [];
      let now = 0;
      for (const each of steps) {
        if (each.type === 'event') {
          const { level, service, word, size } = each;
          const next = item(items.length, level, service, `word${word} ${'x'.repeat(size)}`, `{"n":${word}}`);
          items.push(next);
          accept(next, now);
        } else if (each.type === 'join') {
          const filter = filterOf(filterTexts[each.filter]!);
          const group = broadcast.hold(filter);
          const recorder = new Recorder();
          broadcast.join(group, recorder, now);
          members.push({ recorder, group, filter, from: items.length, to: undefined });
        } else if (each.type === 'leave') {
          const staying = members.filter(({ to }) => to === undefined);
          const leaver = staying[each.member % Math.max(1, staying.length)];
          if (leaver === undefined) continue;
          broadcast.flush(leaver.group, now);
          broadcast.leave(leaver.group, leaver.recorder);
          broadcast.release(leaver.group);
          leaver.to = items.length;
        } else {
          now += each.wait;
          const due = broadcast.flushDue(now);
          assert.ok(due === undefined || (due > now && due <= now + flushMs));
        }
      }
      broadcast.flushAll(now);
      for (const { recorder, filter, from, to = items.length } of members) {
        const expected = items.slice(from, to).filter((each) => filter.matches(each.subject()));
        assert.deepEqual(
          recorder.messages.flatMap(({ offsets }) => offsets),
          expected.map(({ offset }) => offset),
        );
        let sent = 0;
        for (const { cursor, offsets } of recorder.messages) {
          sent += offsets.length;
          assert.equal(sent, expected.filter(({ offset }) => offset < Number(cursor)).length);
        }
      }
      for (const { group, to } of members) if (to === undefined) broadcast.release(group);
      assert.equal(broadcast.groupCount, 0);
    }),
    { numRuns: 300 },
  );
});

test('equal filters are tested once, hopeless ones not at all', () => {
  const { broadcast, accept } = makeBroadcast(25);
  for (const text of ['service:pay', 'service:"pay"', '(service:pay)', 'service:web', 'level:error'])
    broadcast.join(broadcast.hold(filterOf(text)), new Recorder(), 0);
  assert.equal(broadcast.groupCount, 3);
  accept(item(0, 'info', 'pay'), 0);
  assert.equal(broadcast.counts.tests, 1);
});

test('an error goes out at once from a quiet group, and waits in a busy one', () => {
  const { broadcast, accept } = makeBroadcast(25);
  const recorder = new Recorder();
  broadcast.join(broadcast.hold(filterOf('*')), recorder, 0);
  accept(item(0, 'error', 'web'), 100);
  assert.equal(broadcast.flushDue(100), undefined);
  assert.equal(recorder.messages.length, 1);
  accept(item(1, 'fatal', 'web'), 110);
  assert.equal(broadcast.flushDue(110), 135);
  assert.equal(recorder.messages.length, 1);
  accept(item(2, 'info', 'web'), 120);
  broadcast.flushDue(135);
  assert.deepEqual(
    recorder.messages.map(({ offsets }) => offsets),
    [[0], [1, 2]],
  );
});
