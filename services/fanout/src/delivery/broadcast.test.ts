import { levels, topics, type Level } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryBatch } from '../encoding/delivery-batch.ts';
import { Broadcast, type Channel, type Subscriber } from './broadcast.ts';
import { eventsStream } from '../stream/events-stream.ts';
import type { LiveFilter, LiveItem } from '../stream/stream-kind.ts';
import { defaultLimits } from '../admission/viewer-limits.ts';

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
  'attributes.n:1',
  'level:error AND n:(0 OR 2)',
];

interface Message {
  cursor: string;
  offsets: number[];
}

class Recorder implements Subscriber {
  slot = -1;
  readonly messages: Message[] = [];

  readOn(): void {}

  deliver(batch: DeliveryBatch): void {
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
  const compiled = eventsStream.compile(text, defaultLimits.filter);
  assert.ok(compiled.ok);
  return compiled.filter;
}

function item(offset: number, level: Level, service: string, message = 'm', attributes = '{}'): LiveItem {
  const source = { kind: 'http', topic: topics.events, partition: 0, offset, index: 0 };
  const ids = { host: null, correlationId: null, correlationKind: null, traceId: null, spanId: null };
  const value = { source, timestamp: 0, receivedAt: 0, level, service, message, attributes, ...ids };
  return eventsStream.item({ name: 'LogEvent', value }, 'k3x9', 0, offset, 0, 100)!;
}

interface Clock {
  now: number;
  /** What each look at it adds, as if the work before had taken that long. */
  step: number;
}

/** A broadcast of which the cursor is the number of items accepted; with a `stride` of 1 it looks at the clock after each subscriber. */
function makeBroadcast(
  flushMs: number,
  clock: Clock = { now: 0, step: 0 },
): {
  broadcast: Broadcast;
  accept: (next: LiveItem, now: number) => void;
} {
  let accepted = 0;
  let channel = 0;
  const broadcast = new Broadcast({
    stream: 'events',
    flushMs,
    nowMs: () => (clock.now += clock.step),
    cursor: () => String(accepted),
    nextChannelId: () => ++channel,
    stride: 1,
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
  { weight: 1, arbitrary: fc.record({ type: fc.constant('leave' as const), subscriber: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('flush' as const), wait: fc.nat({ max: 40 }) }) },
);

test('every subscriber gets what matches between its join and its leave: once, in order, with true cursors', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.constantFrom(0, 25),
      fc.constantFrom(0, 3),
      (steps, flushMs, slow) => {
        const clock = { now: 0, step: slow };
        const { broadcast, accept } = makeBroadcast(flushMs, clock);
        const items: LiveItem[] = [];
        const subscribers: {
          recorder: Recorder;
          channel: Channel;
          filter: LiveFilter;
          from: number;
          to: number | undefined;
        }[] = [];
        for (const each of steps) {
          const { now } = clock;
          if (each.type === 'event') {
            const { level, service, word, size } = each;
            const next = item(
              items.length,
              level,
              service,
              `word${word} ${'x'.repeat(size)}`,
              `{"n":${word}}`,
            );
            items.push(next);
            accept(next, now);
          } else if (each.type === 'join') {
            const filter = filterOf(filterTexts[each.filter]!);
            const channel = broadcast.hold(filter);
            const recorder = new Recorder();
            broadcast.join(channel, recorder, now);
            subscribers.push({ recorder, channel, filter, from: items.length, to: undefined });
          } else if (each.type === 'leave') {
            const staying = subscribers.filter(({ to }) => to === undefined);
            const leaver = staying[each.subscriber % Math.max(1, staying.length)];
            if (leaver === undefined) continue;
            broadcast.flush(leaver.channel, now);
            broadcast.leave(leaver.channel, leaver.recorder);
            broadcast.release(leaver.channel);
            leaver.to = items.length;
          } else {
            clock.now += each.wait;
            const at = clock.now;
            const due = broadcast.flushDue(at);
            assert.ok(due === undefined || (due >= at && due <= clock.now + flushMs));
          }
        }
        broadcast.flushAll(clock.now);
        for (const { recorder, filter, from, to = items.length } of subscribers) {
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
        for (const { channel, to } of subscribers) if (to === undefined) broadcast.release(channel);
        assert.equal(broadcast.channelCount, 0);
      },
    ),
    { numRuns: 300 },
  );
});

test('equal filters are tested once, hopeless ones not at all', () => {
  const { broadcast, accept } = makeBroadcast(25);
  for (const text of ['service:pay', 'service:"pay"', '(service:pay)', 'service:web', 'level:error'])
    broadcast.join(broadcast.hold(filterOf(text)), new Recorder(), 0);
  assert.equal(broadcast.channelCount, 3);
  accept(item(0, 'info', 'pay'), 0);
  assert.equal(broadcast.counts.tests, 1);
});

/** A channel whose filter matches everything, with this many viewers. */
function watch(broadcast: Broadcast, text: string, viewers: number): Recorder[] {
  return Array.from({ length: viewers }, () => {
    const recorder = new Recorder();
    broadcast.join(broadcast.hold(filterOf(text)), recorder, 0);
    return recorder;
  });
}

const batches = ({ messages }: Recorder): number[][] => messages.map(({ offsets }) => offsets);

test('an event goes out at once while the loop is idle, and waits for a pass that has just ended', () => {
  const clock = { now: 100, step: 0 };
  const { broadcast, accept } = makeBroadcast(25, clock);
  const [first] = watch(broadcast, '*', 2);
  accept(item(0, 'info', 'web'), clock.now);
  assert.equal(broadcast.flushDue(clock.now), undefined);
  assert.deepEqual(batches(first!), [[0]]);
  // Two subscribers at 2 ms each: the next pass begins 12 ms after the end of this one.
  clock.step = 2;
  accept(item(1, 'info', 'web'), clock.now);
  assert.equal(broadcast.flushDue(clock.now), undefined);
  clock.step = 0;
  assert.equal(clock.now, 104);
  accept(item(2, 'info', 'web'), 105);
  assert.equal(broadcast.flushDue(105), 116);
  accept(item(3, 'info', 'web'), 115);
  assert.equal(broadcast.flushDue(115), 116);
  assert.deepEqual(batches(first!), [[0], [1]]);
  assert.equal(broadcast.flushDue(116), undefined);
  assert.deepEqual(batches(first!), [[0], [1], [2, 3]]);
});

test('however busy the loop is, an event waits no longer than the flush interval', () => {
  const clock = { now: 0, step: 0 };
  const { broadcast, accept } = makeBroadcast(25, clock);
  const [recorder] = watch(broadcast, '*', 1);
  broadcast.pace.passed(1000, 500);
  broadcast.pace.lagged(10_000);
  accept(item(0, 'info', 'web'), 1001);
  assert.equal(broadcast.flushDue(1001), 1025);
  broadcast.pace.passed(1010, 500);
  assert.equal(broadcast.flushDue(1025), 1026);
  assert.equal(broadcast.flushDue(1026), undefined);
  assert.deepEqual(batches(recorder!), [[0]]);
});

test('an error goes ahead of all other channels, and in its own the order stays', () => {
  const clock = { now: 1001, step: 0 };
  const { broadcast, accept } = makeBroadcast(25, clock);
  const [everything] = watch(broadcast, 'service:web', 1);
  const [other] = watch(broadcast, 'service:pay', 1);
  broadcast.pace.passed(1000, 500);
  accept(item(0, 'info', 'pay'), 1001);
  accept(item(1, 'info', 'web'), 1001);
  assert.equal(broadcast.flushDue(1001), 1025);
  accept(item(2, 'error', 'web'), 1002);
  assert.equal(broadcast.flushDue(1002), 1026);
  assert.deepEqual(batches(everything!), [[1, 2]]);
  assert.deepEqual(batches(other!), []);
  broadcast.flushDue(1030);
  // Errors again and again in one channel share messages while the loop is busy.
  broadcast.pace.passed(1030, 500);
  accept(item(3, 'fatal', 'web'), 1003);
  assert.equal(broadcast.flushDue(1003), 1027);
  broadcast.flushDue(1027);
  assert.deepEqual(batches(everything!), [[1, 2], [3]]);
  assert.deepEqual(batches(other!), [[0]]);
});

test('an error overtakes a batch that is half sent', () => {
  const clock = { now: 0, step: 2 };
  const { broadcast, accept } = makeBroadcast(25, clock);
  const many = watch(broadcast, 'service:pay', 10);
  const [alone] = watch(broadcast, 'service:web', 1);
  accept(item(0, 'info', 'pay'), 0);
  assert.equal(broadcast.flushDue(0), 0, 'there is more to send');
  const reached = (): number => many.filter(({ messages }) => messages.length > 0).length;
  assert.equal(reached(), 3);
  accept(item(1, 'error', 'web'), clock.now);
  broadcast.flushDue(clock.now);
  assert.deepEqual(batches(alone!), [[1]]);
  assert.ok(reached() < 10);
  for (let i = 0; i < 10; i++) broadcast.flushDue(clock.now);
  assert.ok(many.every((recorder) => recorder.messages.length === 1));
});

test('subscribers that leave when they get a batch, alone or with others, take nothing from those who stay', () => {
  const clock = { now: 0, step: 0 };
  const { broadcast, accept } = makeBroadcast(0, clock);
  const channel = broadcast.hold(filterOf('*'));
  const leavers: Subscriber[] = [];
  const leaver = (takesAlong: number): Subscriber => {
    const subscriber = {
      slot: -1,
      readOn() {},
      deliver() {
        broadcast.leave(channel, subscriber);
        for (const other of leavers.splice(0, takesAlong)) broadcast.leave(channel, other);
      },
    };
    leavers.push(subscriber);
    return subscriber;
  };
  const staying: Recorder[] = [];
  // So many that a call for each inside the call for the one before would be too deep.
  for (let n = 0; n < 20_000; n++) {
    if (n % 1000 === 0) staying.push(...watch(broadcast, '*', 1));
    broadcast.join(channel, leaver(n % 7 === 0 ? 2 : 0), 0);
  }
  for (let n = 0; n < 3; n++) {
    accept(item(n, 'info', 'web'), n);
    clock.now = n;
    while (broadcast.flushDue(n) !== undefined);
  }
  assert.equal(channel.subscribers.length, staying.length);
  for (const recorder of staying) assert.deepEqual(batches(recorder), [[0], [1], [2]]);
});

test('whoever leaves while a batch is half sent, those who stay get it once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.array(fc.nat(), { maxLength: 40 }), (count, leaving) => {
      const clock = { now: 0, step: 2 };
      const { broadcast, accept } = makeBroadcast(25, clock);
      const channel = broadcast.hold(filterOf('*'));
      const staying = watch(broadcast, '*', count);
      accept(item(0, 'info', 'web'), 0);
      let due = broadcast.flushDue(0);
      for (const n of leaving) {
        const [leaver] = staying.splice(n % Math.max(1, staying.length), 1);
        if (leaver !== undefined) broadcast.leave(channel, leaver);
        if (due !== undefined && n % 3 === 0) due = broadcast.flushDue(clock.now);
      }
      while (due !== undefined) due = broadcast.flushDue(clock.now);
      for (const recorder of staying) assert.deepEqual(batches(recorder), [[0]]);
      assert.deepEqual(
        channel.subscribers.map(({ slot }) => slot),
        staying.map((_, slot) => slot),
      );
    }),
  );
});
