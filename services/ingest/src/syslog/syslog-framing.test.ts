import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamFrame } from '../stream/message-writer.ts';
import { SyslogFramer } from './syslog-framing.ts';

const limit = 100;

function frames(bytes: Buffer, cuts: readonly number[] = [], inOrder = true): StreamFrame[] {
  const framer = new SyslogFramer(limit);
  const found: StreamFrame[] = [];
  const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < bounds.length; i++)
    found.push(...framer.push(Buffer.from(bytes.subarray(bounds[i - 1], bounds[i]))));
  found.push(...framer.end(inOrder));
  assert.equal(framer.heldBytes, 0);
  return found.map((frame) => ({ ...frame, bytes: Buffer.from(frame.bytes) }));
}

const texts = (found: StreamFrame[]): unknown[] =>
  found.map(({ bytes, problem, declared }) =>
    problem === undefined ? bytes.toString() : [problem, bytes.length, declared],
  );

test('both framings are distinguished at each message', () => {
  const cases: [string, unknown[]][] = [
    ['<1>a\n<2>b\r\n\n<3>c\0\n', ['<1>a', '<2>b', '<3>c']],
    ['4 <1>a6 <2>b\nc<3>d\n4 <4>e', ['<1>a', '<2>b\nc', '<3>d', '<4>e']],
    ['4 <1>a\n4 <2>b\n', ['<1>a', '<2>b']],
    ['<1>no newline at the end', ['<1>no newline at the end']],
    ['404 not found\n12 <b>\n7\n', ['404 not found', '12 <b>', '7']],
    ['10 <1>short', [['incomplete-message', 11, undefined]]],
    [`<1>${'x'.repeat(200)}\n<2>b\n`, [['event-too-large', 100, undefined], '<2>b']],
    [`203 <1>${'x'.repeat(200)}4 <2>b`, [['event-too-large', 100, 203], '<2>b']],
    [`<1>${'x'.repeat(200)}`, [['event-too-large', 100, undefined]]],
    ['', []],
  ];
  for (const [input, expected] of cases) assert.deepEqual(texts(frames(Buffer.from(input))), expected, input);
  assert.deepEqual(texts(frames(Buffer.from('<1>cut of'), [], false)), [
    ['incomplete-message', 9, undefined],
  ]);
});

test('how the bytes are cut into reads changes nothing, whatever they are', () => {
  const message = fc.oneof(
    fc.string({ maxLength: 150 }).map((text) => `<13>${text}\n`),
    fc.string({ maxLength: 150 }).map((text) => `${Buffer.byteLength(text) + 4} <13>${text}`),
    fc.constantFrom('5 <1', '12', '99999 <1>', '\n', '7 x\n'),
  );
  const bytes = fc.oneof(
    fc.array(message, { maxLength: 20 }).map((parts) => Buffer.from(parts.join(''))),
    fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 30 }), fc.boolean(), (input, cuts, inOrder) => {
      assert.deepEqual(texts(frames(input, cuts, inOrder)), texts(frames(input, [], inOrder)));
    }),
    { numRuns: 1000 },
  );
});

test('whole messages come out whole, in any mixture of framings', () => {
  const text = fc
    .string({ minLength: 1, maxLength: 90 })
    .filter((t) => !/[\n\r\0]/.test(t) && Buffer.byteLength(t) <= 90);
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.boolean())), fc.array(fc.nat()), (messages, cuts) => {
      const wire = messages.map(([body, isCounted]) =>
        isCounted ? `${Buffer.byteLength(body) + 4} <13>${body}` : `<13>${body}\n`,
      );
      assert.deepEqual(
        texts(frames(Buffer.from(wire.join('')), cuts)),
        messages.map(([body]) => `<13>${body}`),
      );
    }),
  );
});

test('a NUL ends a message like a newline', () => {
  const framer = new SyslogFramer(100);
  const texts = (chunk: string): string[] =>
    framer.push(Buffer.from(chunk)).map(({ bytes }) => bytes.toString());
  assert.deepEqual(texts('<13>one\0<13>two\n\0<13>th'), ['<13>one', '<13>two']);
  assert.deepEqual(texts('ree\0'), ['<13>three']);
});
