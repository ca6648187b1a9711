import { DuplicateWindow } from '@logloom/event-log';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

interface Numbers {
  producer?: string;
  sequence?: number;
  epoch?: number;
  key?: string;
  path?: string;
  type?: string;
}

interface ResponseBody {
  status: number;
  duplicates: string | null;
  body: {
    accepted: number;
    duplicates?: number;
    rejected: { line: number }[];
    error?: { code: string };
    items?: { index: { status: number; result?: string } }[];
  };
}

async function send(address: string, body: string, numbers: Numbers = {}): Promise<ResponseBody> {
  const { producer, sequence, epoch, key, path = '/ingest', type = 'application/x-ndjson' } = numbers;
  const response = await fetch(address + path, {
    method: 'POST',
    headers: {
      'content-type': type,
      ...(producer !== undefined && { 'logloom-producer': producer }),
      ...(sequence !== undefined && { 'logloom-sequence': String(sequence) }),
      ...(epoch !== undefined && { 'logloom-epoch': String(epoch) }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body,
  });
  const text = await response.text();
  return {
    status: response.status,
    duplicates: response.headers.get('logloom-duplicates'),
    body: (text === '' ? {} : JSON.parse(text)) as ResponseBody['body'],
  };
}

const lines = (from: number, count: number, word = 'line'): string =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ message: `${word} ${from + i}` })).join('\n');

/** The messages that every reader of the log sees, and how many records it holds. */
async function seen(folder: string): Promise<{ messages: string[]; records: number }> {
  const windows = new Map<number, DuplicateWindow>();
  const events = await readEvents(folder);
  const messages = events
    .filter(({ source, at }) => {
      let window = windows.get(at.partition);
      if (window === undefined) windows.set(at.partition, (window = new DuplicateWindow()));
      return window.admit(source, at.offset);
    })
    .map(({ message }) => message);
  return { messages: messages.toSorted(), records: events.length };
}

const messagesOf = (...bodies: string[]): string[] =>
  bodies
    .flatMap((body) => body.split('\n').map((line) => (JSON.parse(line) as { message: string }).message))
    .toSorted();

test('what is durable already is reported, also after a restart; numbers that start again lose nothing', async () => {
  using folder = temporaryFolder();
  const first = `${lines(0, 3)}\n{}\n${lines(3, 2)}`;
  const anew = lines(0, 6, 'other');
  {
    await using service = await startForTest(folder.path);
    const p = { producer: 'p', sequence: 0 };
    const { body } = await send(service.address, first, p);
    assert.deepEqual([body.accepted, body.duplicates, body.rejected.length], [5, undefined, 1]);
    const again = await send(service.address, first, p);
    assert.equal(again.status, 200);
    assert.deepEqual([again.body.accepted, again.body.duplicates, again.body.rejected.length], [0, 5, 1]);
    assert.equal(again.duplicates, '5');
    // The last of them again, with new ones behind.
    const more = await send(service.address, `${lines(4, 1)}\n${lines(6, 2)}`, { ...p, sequence: 5 });
    assert.deepEqual([more.body.accepted, more.body.duplicates], [2, 1]);
  }
  await using service = await startForTest(folder.path);
  const again = await send(service.address, first, { producer: 'p', sequence: 0 });
  assert.deepEqual([again.body.accepted, again.body.duplicates], [0, 5]);
  const other = await send(service.address, anew, { producer: 'p', sequence: 0 });
  assert.deepEqual([other.body.accepted, other.body.duplicates, other.duplicates], [6, undefined, null]);
  await service.drain();
  const { messages, records } = await seen(folder.path);
  assert.deepEqual(messages, messagesOf(lines(0, 5), lines(6, 2), anew));
  assert.equal(records, 13);
});

test('every receiver reports duplicates', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const json = 'application/json';
  const bulk = `${JSON.stringify({ index: { _index: 'logs' } })}\n{"message":"bulk"}\n`;
  const record = { timeUnixNano: '1', body: { stringValue: 'otlp' } };
  const otlp = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
  const loki = JSON.stringify({ streams: [{ stream: { app: 'a' }, values: [['1000', 'loki']] }] });
  for (const [path, type, body] of [
    ['/_bulk', 'application/x-ndjson', bulk],
    ['/v1/logs', json, otlp],
    ['/loki/api/v1/push', json, loki],
  ] as const) {
    const numbers = { path, type, producer: path.replaceAll('/', '-'), sequence: 7 };
    assert.equal((await send(service.address, body, numbers)).duplicates, null);
    const { status, duplicates, body: response } = await send(service.address, body, numbers);
    assert.deepEqual([Math.floor(status / 100), duplicates], [2, '1'], path);
    if (path !== '/_bulk') continue;
    assert.deepEqual([response.items![0]!.index.status, response.items![0]!.index.result], [200, 'noop']);
  }
  await service.drain();
  assert.deepEqual((await seen(folder.path)).messages, ['bulk', 'loki', 'otlp']);
});

test('an older epoch is fenced, also after a restart', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    assert.equal((await send(service.address, lines(0, 2), { producer: 'p', sequence: 0 })).status, 200);
    const newer = await send(service.address, lines(0, 2), { producer: 'p', sequence: 0, epoch: 3 });
    assert.equal(newer.body.accepted, 2, 'its numbers begin anew');
    const q = await send(service.address, lines(0, 1, 'q'), { producer: 'q', sequence: 0 });
    assert.equal(q.status, 200);
  }
  await using service = await startForTest(folder.path);
  for (const epoch of [undefined, 2]) {
    const numbers = { producer: 'p', sequence: 2, ...(epoch !== undefined && { epoch }) };
    const { status, body } = await send(service.address, lines(2, 1), numbers);
    assert.deepEqual([status, body.error?.code], [409, 'producer-fenced']);
  }
  assert.equal(
    (await send(service.address, lines(2, 1), { producer: 'p', sequence: 2, epoch: 3 })).status,
    200,
  );
  for (const bad of [{ epoch: 1 }, { producer: 'p', sequence: 0, epoch: 2 ** 31 }])
    assert.equal((await send(service.address, lines(0, 1), bad)).body.error?.code, 'bad-producer');
});

test("claiming the server's numbers, or another key's producer, erases nothing", async () => {
  using folder = temporaryFolder();
  const keys = join(folder.path, 'keys.json');
  const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
  writeFileSync(keys, JSON.stringify({ keys: ['one', 'two'].map((name) => ({ name, sha256: hash(name) })) }));
  await using service = await startForTest(folder.path, { INGEST_KEYS: keys });
  await send(service.address, lines(0, 1, 'before'), { key: 'one' });
  const reader = await readSource(folder.path);
  // The server's own producer id, with the next numbers and with a huge one.
  for (const sequence of [reader.offset + 1, 999_999_999_999])
    await send(service.address, lines(0, 1, `claim ${sequence}`), {
      key: 'two',
      producer: reader.topic,
      sequence,
    });
  await send(service.address, lines(0, 20, 'after'), { key: 'one' });
  for (const key of ['one', 'two']) {
    const { body } = await send(service.address, lines(0, 3, 'same'), { key, producer: 'p', sequence: 0 });
    assert.deepEqual([body.accepted, body.duplicates], [3, undefined], key);
  }
  await service.drain();
  const { messages, records } = await seen(folder.path);
  assert.equal(messages.length, records, 'an event is stored twice');
  assert.equal(records, 1 + 2 + 20 + 6);
  for (const { id } of (await readEvents(folder.path)).map((event) => ({ id: event.source.topic })))
    assert.ok(!['p', 'one', 'two'].includes(id), 'neither keys nor producers can be read');
});

async function readSource(folder: string): Promise<{ topic: string; offset: number }> {
  return (await readEvents(folder))[0]!.source;
}

test('with quotas: large and small requests, bulks and four pieces of one producer at a time, each event once', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path, { INGEST_SERVICE_EVENTS_PER_SECOND: '1000000' });
  const bulk = Array.from(
    { length: 10_000 },
    (_, n) => `{"index":{}}\n${JSON.stringify({ message: `bulk ${n}` })}\n`,
  ).join('');
  const sent: string[] = [];
  const small = async (): Promise<void> => {
    for (let n = 0; n < 100; n++) {
      const body = lines(n, 1, 'small');
      sent.push(body);
      assert.equal((await send(service.address, body)).body.accepted, 1);
    }
  };
  const large = async (n: number): Promise<void> => {
    const body = lines(10_000 * n, 5000, 'large');
    sent.push(body);
    assert.equal((await send(service.address, body)).body.accepted, 5000);
  };
  const piece = async (n: number): Promise<void> => {
    const body = lines(2000 * n, 2000, 'piece');
    sent.push(body);
    const numbers = { producer: 'p', sequence: 2000 * n };
    assert.equal((await send(service.address, body, numbers)).body.accepted, 2000);
    assert.equal((await send(service.address, body, numbers)).body.duplicates, 2000);
  };
  const [bulked] = await Promise.all([
    send(service.address, bulk, { path: '/_bulk' }),
    ...[3, 1, 2, 0].map(piece),
    ...[0, 1].map(large),
    small(),
  ]);
  assert.ok(bulked.body.items!.every(({ index }) => index.status === 201));
  await service.drain();
  const { messages, records } = await seen(folder.path);
  assert.equal(messages.length, records);
  const bulkMessages = Array.from({ length: 10_000 }, (_, n) => `bulk ${n}`);
  assert.deepEqual(messages, [...messagesOf(...sent), ...bulkMessages].toSorted());
});

// More than readers once knew of (1,024); a long run has 5,000.
const many = process.env['LOGLOOM_FULL'] === '1' ? 5000 : 1200;

test('a thousand producers that each repeat a request make no duplicate', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const producers = Array.from({ length: many }, (_, n) => n);
  const each = async (check: (response: ResponseBody['body']) => void): Promise<void> => {
    for (let at = 0; at < producers.length; at += 100)
      await Promise.all(
        producers.slice(at, at + 100).map(async (n) => {
          const numbers = { producer: `p${n}`, sequence: 0 };
          check((await send(service.address, lines(n, 1, 'p'), numbers)).body);
        }),
      );
  };
  await each(({ accepted }) => assert.equal(accepted, 1));
  await each(({ duplicates }) => assert.equal(duplicates, 1));
  await service.drain();
  assert.equal((await seen(folder.path)).records, many);
});
