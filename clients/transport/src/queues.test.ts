import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryQueue, type LineQueue } from './memory-queue.js';
import { SpoolQueue } from './spool-queue.js';
import { stringify } from './stringify.js';

const line = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => JSON.stringify({ text }));
const steps = fc.array(
  fc.oneof(
    fc.record({ push: fc.array(line, { maxLength: 8 }) }),
    fc.record({ take: fc.nat({ max: 10 }), maxBytes: fc.integer({ min: 1, max: 200 }) }),
    fc.record({ die: fc.constant(true) }),
  ),
  { maxLength: 20 },
);

type Steps = (typeof steps)['generate'] extends (...args: never[]) => fc.Value<infer Value> ? Value : never;

/** Does the steps and holds what comes out against what went in. `die` returns the queue that the next process finds. */
function check(queue: LineQueue, run: Steps, die: (queue: LineQueue) => LineQueue): void {
  const waiting: string[] = [];
  let taken = 0;
  let canPush = true;
  for (const step of run) {
    if ('push' in step) {
      for (const text of canPush ? step.push : []) {
        assert.ok(queue.push(text));
        waiting.push(text);
      }
    } else if ('take' in step) {
      const { lines, sequence } = queue.peek(step.take, step.maxBytes);
      assert.equal(sequence, taken);
      assert.deepEqual(lines, waiting.slice(0, lines.length));
      assert.ok(lines.length <= step.take);
      assert.ok(lines.length > 0 || waiting.length === 0 || step.take === 0);
      queue.ack(lines.length);
      waiting.splice(0, lines.length);
      taken += lines.length;
    } else if (waiting.length > 0) {
      queue = die(queue);
      canPush = queue instanceof MemoryQueue;
    }
    assert.equal(queue.bytes > 0, waiting.length > 0);
  }
}

test('lines come out of memory as they went in, each under its number', () => {
  fc.assert(fc.property(steps, (run) => check(new MemoryQueue('p', 1e6), run, (queue) => queue)));
});

test('lines come out of a spool as they went in, also in the next process', () => {
  fc.assert(
    fc.property(steps, (run) => {
      const folder = mkdtempSync(join(tmpdir(), 'logloom-queue-'));
      try {
        check(SpoolQueue.create(folder, 'p', 1e6), run, (queue) => {
          queue.close();
          const [next] = SpoolQueue.adopt(folder);
          assert.equal(next?.producer, 'p');
          return next;
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 50 },
  );
});

test('a line that a kill cut short is left out; several segments are one queue; what is sent is removed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logloom-queue-'));
  const queue = SpoolQueue.create(folder, 'p', 64 * 2 ** 20);
  const texts = Array.from({ length: 90 }, (_, n) => JSON.stringify({ n, text: 'x'.repeat(100_000) }));
  for (const text of texts) assert.ok(queue.push(text));
  const segments = (name: string): string[] =>
    readdirSync(join(folder, name)).filter((file) => file.endsWith('.ndjson'));
  assert.equal(segments('p').length, 3);
  assert.deepEqual(SpoolQueue.adopt(folder), [], 'its owner is alive');
  queue.close();
  appendFileSync(join(folder, 'p', segments('p').at(-1)!), '{"n":90,"te');
  const [next] = SpoolQueue.adopt(folder);
  const seen: string[] = [];
  while (next!.bytes > 0) {
    const { lines } = next!.peek(20, 300_000);
    seen.push(...lines);
    next!.ack(lines.length);
  }
  assert.deepEqual(seen, texts);
  next!.close();
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
});

test('a spool has an end too', () => {
  const folder = mkdtempSync(join(tmpdir(), 'logloom-queue-'));
  const queue = SpoolQueue.create(folder, 'p', 30);
  assert.deepEqual(
    [queue.push('{"n":1}'), queue.push('x'.repeat(40)), queue.push('{"n":2}')],
    [true, false, true],
  );
  assert.equal(queue.peek(9, 1000).lines.length, 2);
  queue.close();
  rmSync(folder, { recursive: true });
});

test('any record becomes one line', () => {
  const circular: Record<string, unknown> = {
    error: new TypeError('no', { cause: 'why' }),
    big: 1n,
    map: new Map([['a', 1]]),
  };
  const parse = (record: object): Record<string, unknown> =>
    JSON.parse(stringify(record)) as Record<string, unknown>;
  const { error, big, map } = parse(circular) as { error: Record<string, unknown>; big: string; map: object };
  assert.deepEqual(
    [error['type'], error['message'], error['cause'], big, map],
    ['TypeError', 'no', 'why', '1', { a: 1 }],
  );
  assert.match(String(error['stack']), /^TypeError: no\n/);
  circular['self'] = { deep: circular };
  assert.deepEqual(parse(circular)['self'], { deep: '[Circular]' });
  assert.equal(parse({ at: new Date(0), self: circular })['at'], '1970-01-01T00:00:00.000Z');
});
