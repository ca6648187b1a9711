import { DuplicateWindow, SqliteEventLog, type Assignment } from '@logloom/event-log';
import {
  redriveHeaders,
  redriveSource,
  senderOf,
  topics,
  type RedrivePlace,
  type Sender,
} from '@logloom/schemas';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import protobuf from 'protobufjs/minimal.js';
import { compressSync } from 'snappy';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { tagOf } from '../http/protobuf-reader.ts';

const partitions = 4;
const deadlineMs = 120_000;
const receivedAt = Date.parse('2024-05-01T12:00:00Z');

const place = (offset: number): RedrivePlace => ({ jobId: 'redrive-1', partition: 2, offset });

async function openRaw(folder: string) {
  const log = new SqliteEventLog(join(folder, 'log'));
  await log.createTopics(Object.values(topics).map((name) => ({ name, partitions })));
  return {
    log,
    append: (values: readonly (string | Buffer)[], headers: (i: number) => Record<string, string>) =>
      log.append(
        topics.raw,
        values.map((value, i) => ({
          partition: 0,
          key: null,
          value: Buffer.from(value as string),
          headers: headers(i),
        })),
      ),
    workOff: async (env: Record<string, string> = {}) => {
      await using service = await startForTest(folder, env);
      assert.ok(service.address);
      const end = (await log.endOffsets(topics.raw))[0]!;
      const deadline = Date.now() + deadlineMs;
      while ((await log.committed('ingest', topics.raw))[0]?.offset !== end) {
        assert.ok(Date.now() < deadline, 'logs.raw was not worked off');
        await sleep(20);
      }
    },
  };
}

test('a redriven event has the dead letter as its source and its first time of receipt', async () => {
  using folder = temporaryFolder();
  const raw = await openRaw(folder.path);
  const ahead = new Date(receivedAt + 48 * 3_600_000).toISOString();
  await raw.append(['{"n":1}', `{"n":2,"time":"${ahead}"}`, '{"n":'], (i) =>
    redriveHeaders(place(10 + i), receivedAt),
  );
  await raw.append(['{"n":3}'], () => ({ 'logloom-redrive': 'nonsense', 'logloom-received-at': '1' }));
  await raw.workOff();
  await raw.log.close();
  const events = await readEvents(folder.path);
  const found = new Map(events.map((e) => [(JSON.parse(e.attributes) as { n: number }).n, e]));
  assert.deepEqual({ ...found.get(1)!.source }, redriveSource(place(10)));
  assert.deepEqual([found.get(1)!.receivedAt, found.get(1)!.timestamp], [receivedAt, receivedAt * 1000]);
  assert.equal(found.get(2)!.timestamp, Date.parse(ahead) * 1000);
  assert.equal(found.get(3)!.source.kind, 'kafka');
  const [deadLetter] = await readDeadLetters(folder.path);
  assert.deepEqual([deadLetter!.code, { ...deadLetter!.source }], ['bad-json', redriveSource(place(12))]);
});

test('what a key may not send comes in by no redrive, and dead letters keep who sent them', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'keys.json');
  const sha256 = createHash('sha256').update('secret').digest('hex');
  const write = (service: string): void =>
    writeFileSync(file, JSON.stringify({ keys: [{ name: 'shop', sha256, service }] }));
  write('shop-*');
  const env = { INGEST_KEYS: file };
  const body =
    '{"message":"m","service":"shop-web"}\n{"message":"m","service":"bank"}\n{"service":"shop-web"';
  {
    await using service = await startForTest(folder.path, env);
    const headers = { authorization: 'Bearer secret', 'content-type': 'application/x-ndjson' };
    await fetch(`${service.address}/ingest`, { method: 'POST', body, headers });
  }
  const [sent] = await readEvents(folder.path);
  assert.deepEqual(senderOf(sent!.at.headers), { key: 'shop', address: '127.0.0.1' });
  const deadLetters = await readDeadLetters(folder.path);
  assert.deepEqual(
    deadLetters.map(({ code, key, address }) => [code, key, address]),
    [
      ['service-not-allowed', 'shop', '127.0.0.1'],
      ['bad-json', 'shop', '127.0.0.1'],
    ],
  );
  const redriven: [event: string, sender: Sender][] = [
    ['{"n":1,"service":"bank"}', { key: 'shop', address: '10.0.0.1' }],
    ['{"n":2,"service":"shop-web"}', { key: 'shop' }],
    ['{"n":3,"service":"shop-web"}', { key: 'taken-out' }],
    ['{"n":4,"service":"bank"}', { key: '' }],
    ['{"n":5,"service":"router"}', {}],
  ];
  const raw = await openRaw(folder.path);
  const put = (first: number) =>
    raw.append(
      redriven.map(([event]) => event),
      (i) => redriveHeaders(place(first + i), receivedAt, redriven[i]![1]),
    );
  await put(0);
  await raw.workOff(env);
  const numbers = async (): Promise<number[]> =>
    (await readEvents(folder.path))
      .flatMap((e) => (JSON.parse(e.attributes) as { n?: number }).n ?? [])
      .sort();
  assert.deepEqual(await numbers(), [2, 5]);
  const again = (await readDeadLetters(folder.path)).filter(({ source }) => source.kind === 'redrive');
  assert.deepEqual(
    again.map(({ code, key, address }) => [code, key, address]),
    [
      ['service-not-allowed', 'shop', '10.0.0.1'],
      ['key-unknown', 'taken-out', null],
      ['key-unknown', '', null],
    ],
  );
  // The rule that counts is the one that is in force when it comes in.
  write('*');
  await put(100);
  await raw.workOff(env);
  assert.deepEqual(await numbers(), [1, 2, 2, 5, 5]);
  await raw.log.close();
});

test('dead letters of OTLP and Loki are read by their own format again, in both encodings', async () => {
  using folder = temporaryFolder();
  const at = Date.now() - 3_600_000;
  const time = BigInt(at) * 1_000_000n;
  // Too large at first; the setting is raised before the redrive.
  const filler = 'x'.repeat(300);
  const text = (field: number, value: string): Buffer => message(field, Buffer.from(value));
  const fixed64 = Buffer.alloc(9, 0x09);
  fixed64.writeBigUInt64LE(time, 1);
  const body = message(5, text(1, `otlp protobuf ${filler}`));
  const scope = message(2, message(2, Buffer.concat([fixed64, body])));
  const name = Buffer.concat([text(1, 'service.name'), message(2, text(1, 's'))]);
  const otlp = message(1, Buffer.concat([message(1, message(1, name)), scope]));
  const seconds = protobuf.Writer.create()
    .uint32(8)
    .int64(Number(time / 1_000_000_000n))
    .finish();
  const entry = Buffer.concat([message(1, Buffer.from(seconds)), text(2, `loki protobuf ${filler}`)]);
  const push = message(1, Buffer.concat([text(1, '{app="s"}'), message(2, entry)]));
  const json = 'application/json';
  const attribute = { key: 'service.name', value: { stringValue: 's' } };
  const record = { timeUnixNano: String(time), body: { stringValue: `otlp json ${filler}` } };
  const resource = { attributes: [attribute] };
  const requests: [path: string, type: string, body: Buffer][] = [
    ['/v1/logs', 'application/x-protobuf', otlp],
    ['/v1/logs', json, jsonOf({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record] }] }] })],
    ['/loki/api/v1/push', 'application/x-protobuf', compressSync(push)],
    [
      '/loki/api/v1/push',
      json,
      jsonOf({ streams: [{ stream: { app: 's' }, values: [[String(time), `loki json ${filler}`]] }] }),
    ],
  ];
  {
    await using service = await startForTest(folder.path, { INGEST_MAX_EVENT_BYTES: '300' });
    for (const [path, type, body] of requests)
      await fetch(service.address + path, {
        method: 'POST',
        headers: { 'content-type': type },
        body: new Uint8Array(body),
      });
  }
  const deadLetters = await readDeadLetters(folder.path);
  assert.deepEqual(
    deadLetters.map(({ code }) => code),
    Array(4).fill('event-too-large'),
  );
  const raw = await openRaw(folder.path);
  await raw.append(
    deadLetters.map(({ payload }) => payload),
    (i) => redriveHeaders(place(i), Date.now()),
  );
  await raw.workOff();
  await raw.log.close();
  assert.deepEqual(
    (await readEvents(folder.path))
      .map(({ message, service, timestamp }) => [message.replace(` ${filler}`, ''), service, timestamp])
      .sort(),
    ['loki json', 'loki protobuf', 'otlp json', 'otlp protobuf'].map((message) => [
      message,
      's',
      message === 'loki protobuf' ? Math.floor(at / 1000) * 1e6 : at * 1000,
    ]),
  );
  assert.equal((await readDeadLetters(folder.path)).length, 4);
});

function message(field: number, bytes: Buffer): Buffer {
  return Buffer.from(protobuf.Writer.create().uint32(tagOf(field)).bytes(bytes).finish());
}

function jsonOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

test('two records of one dead letter are one event to readers, and a crash after the append makes no more', async () => {
  using folder = temporaryFolder();
  const raw = await openRaw(folder.path);
  const values = (from: number) => Array.from({ length: 50 }, (_, i) => `{"n":${from + i}}`);
  const append = (from: number) =>
    raw.append(values(from), (i) => redriveHeaders(place(from + i), receivedAt));
  await append(0);
  await raw.workOff();
  const earlier = (await raw.log.committed('ingest', topics.raw))[0]!;
  await append(50);
  await raw.workOff();

  // As a crash between the append and its commit leaves it.
  const stop = new AbortController();
  const open = async ({ partition, commit }: Assignment) => {
    if (partition === 0) await commit(earlier.offset, earlier.metadata);
    stop.abort();
    return { process: async () => {} };
  };
  await raw.log.consume({ group: 'ingest', topics: [topics.raw], open }, stop.signal);
  await raw.workOff();
  const numbers = async (admit: (event: Awaited<ReturnType<typeof readEvents>>[number]) => boolean) =>
    (await readEvents(folder.path))
      .filter(admit)
      .map(({ attributes }) => (JSON.parse(attributes) as { n: number }).n)
      .sort((a, b) => a - b);
  const hundred = Array.from({ length: 100 }, (_, n) => n);
  assert.deepEqual(await numbers(() => true), hundred);

  // A job that ran twice at once puts some twice.
  await append(25);
  await raw.workOff();
  await raw.log.close();
  const windows = Array.from({ length: partitions }, () => new DuplicateWindow());
  assert.deepEqual(
    await numbers(({ source, at }) => windows[at.partition]!.admit(source, at.offset)),
    hundred,
  );
});
