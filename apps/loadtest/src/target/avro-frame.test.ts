import { contractText, parseSchema } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from './message.ts';
import { markOf } from './received-event.ts';
import { openTarget } from './open-target.ts';

const type = parseSchema(contractText('LogEvent'));

function record(n: number): Buffer {
  const body = type.toBuffer({
    source: { kind: 'http', topic: '', partition: 0, offset: n, index: 0 },
    timestamp: 1_767_225_600_000_000,
    receivedAt: 1_767_225_600_000,
    level: 'error',
    service: 'shop',
    host: null,
    message: `line ${n}\nof two`,
    correlationId: 'c',
    correlationKind: 'correlationId',
    traceId: null,
    spanId: null,
    attributes: JSON.stringify({ loadtest: { run: 'r', n } }),
  });
  const place = Buffer.alloc(16);
  place.writeUInt32BE(5 + body.length, 0);
  place.writeUInt32BE(3, 4);
  place.writeBigUInt64BE(BigInt(100 + n), 8);
  // The schema's number is the registry's own.
  return Buffer.concat([place, Buffer.from([0, 0, 0, 1, 44]), body]);
}

function frame(count: number, ...records: Buffer[]): Buffer {
  const head = JSON.stringify({ type: 'events', channel: 7, cursor: 'c9', count });
  return Buffer.concat([Buffer.from(`${head}\n`), ...records]);
}

const target = openTarget({ kind: 'logloom', url: 'http://127.0.0.1:1/' });
const decode = (bytes: Buffer): Message => target.decode(bytes);

test('a batch in Avro says what the same in JSON does', () => {
  const { type: kind, cursor, channel, events } = decode(frame(2, record(1), record(2)));
  assert.deepEqual([kind, cursor, channel], ['events', 'c9', 7]);
  assert.deepEqual(
    events.map((event) => [markOf(event)?.n, event.partition, event.offset, event.level, event.service]),
    [
      [1, 3, 101, 'error', 'shop'],
      [2, 3, 102, 'error', 'shop'],
    ],
  );
  assert.equal(events[0]!.message, 'line 1\nof two');
});

test('other messages of such a connection are JSON, and a broken batch is not understood', () => {
  const hello = decode(Buffer.from('{"type":"hello","protocol":1,"heartbeatMs":15000}'));
  assert.equal(hello.type, 'hello');
  assert.throws(() => decode(frame(2, record(1))), SyntaxError);
  assert.throws(() => decode(frame(1, record(1).fill(255, 21))), SyntaxError);
});
