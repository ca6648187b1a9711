import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readDeadLetters, readEvents, temporaryFolder } from '../testing/ingest-harness.ts';
import { protobufField } from './protobuf-reader.ts';

const heapMiB = 200;
const senders = 6;

/** `head`, then `part` again and again up to so many bytes, then `tail`. */
function repeated(head: string, part: string, tail: string, bytes: number): Buffer {
  const middle = Buffer.alloc(Math.floor(bytes / part.length) * part.length, part);
  return Buffer.concat([Buffer.from(head), middle, Buffer.from(tail)]);
}

const field = (number: number, ...parts: Buffer[]): Buffer => protobufField(number, Buffer.concat(parts));
const ndjson = 'application/x-ndjson';
const json = 'application/json';
const protobuf = 'application/x-protobuf';

interface Bomb {
  path: string;
  type: string;
  body: Buffer;
  statuses: number[];
  encoding?: string;
}

function createBombs(): Record<string, Bomb> {
  const large = 24 * 2 ** 20;
  const resource = field(1, field(1, Buffer.from('a')), field(2, field(1, Buffer.alloc(4000, 'x'))));
  const badRecord = field(2, Buffer.from([0x0c]));
  const shared = field(1, field(1, resource), field(2, Buffer.alloc(2000 * badRecord.length, badRecord)));
  const refused = [413, 429];
  return {
    'a huge array of numbers': {
      path: '/ingest',
      type: json,
      body: repeated('[', '1,', '1]', large),
      statuses: refused,
    },
    'a small array of numbers': {
      path: '/ingest',
      type: json,
      body: repeated('[', '1,', '1]', 2 ** 19),
      statuses: [400],
    },
    'an array in an array': {
      path: '/ingest',
      type: json,
      body: repeated('[[', '1,', '1]]', large),
      statuses: [400, 429],
    },
    'millions of lines': {
      path: '/ingest',
      type: ndjson,
      body: repeated('', '1\n', '', large),
      statuses: refused,
    },
    'lines that are no JSON': {
      path: '/ingest',
      type: ndjson,
      body: repeated('', '{\n', '', 2 ** 19),
      statuses: [400],
    },
    'one giant line': {
      path: '/ingest',
      type: ndjson,
      body: repeated('', 'x', '', large),
      statuses: [400, 429],
    },
    'deep nesting': {
      path: '/ingest',
      type: ndjson,
      body: repeated('{"a":', '[', '', 1_000_000),
      statuses: [400],
    },
    'tiny bulk items': {
      path: '/_bulk',
      type: ndjson,
      statuses: refused,
      body: repeated('', '{"index":{}}\n1\n', '', large),
    },
    'OTLP in JSON': {
      path: '/v1/logs',
      type: json,
      statuses: refused,
      body: repeated('{"resourceLogs":[{"scopeLogs":[{"logRecords":[', '{},', '{}]}]}]}', large),
    },
    'OTLP in JSON, nested': {
      path: '/v1/logs',
      type: json,
      body: repeated('', '[', '', large),
      statuses: refused,
    },
    'scopes in JSON': {
      path: '/v1/logs',
      type: json,
      statuses: refused,
      body: repeated('{"resourceLogs":[{"scopeLogs":[', '{},', '{}]}]}', large / 8),
    },
    'records in protobuf': {
      path: '/v1/logs',
      type: protobuf,
      statuses: refused,
      body: field(1, field(2, Buffer.alloc(large, field(2)))),
    },
    'scopes in protobuf': {
      path: '/v1/logs',
      type: protobuf,
      statuses: refused,
      body: field(1, Buffer.alloc(large, field(2))),
    },
    'attributes in protobuf': {
      path: '/v1/logs',
      type: protobuf,
      statuses: [413, 429],
      body: field(1, field(1, Buffer.alloc(large, field(1, field(1, Buffer.from('a'))))), field(2, field(2))),
    },
    'what records share': { path: '/v1/logs', type: protobuf, body: shared, statuses: [200] },
    'streams in JSON': {
      path: '/loki/api/v1/push',
      type: json,
      statuses: refused,
      body: repeated('{"streams":[', '{"values":[]},', '{"values":[]}]}', large),
    },
    'a zstd frame of zeros': {
      path: '/ingest',
      type: ndjson,
      body: Buffer.alloc(256 * 2 ** 20),
      encoding: 'zstd',
      statuses: refused,
    },
  };
}

async function send(address: string, { path, type, body }: Bomb, encoding: string): Promise<number> {
  const headers = { 'content-type': type, 'content-encoding': encoding };
  const response = await fetch(`${address}${path}`, { method: 'POST', body: new Uint8Array(body), headers });
  await response.arrayBuffer();
  return response.status;
}

test('bombs at every receiver: the process lives, others are served, and dead letters stay as small as the requests', async () => {
  using folder = temporaryFolder();
  const child = fork(join(import.meta.dirname, '../testing/ingest-child.ts'), [folder.path], {
    stdio: 'inherit',
    execArgv: [`--max-old-space-size=${heapMiB}`],
  });
  const exited = once(child, 'exit');
  const [address] = (await Promise.race([once(child, 'message'), exited])) as [string];
  let acknowledged = 0;
  const traffic = new AbortController();
  const normal = (async () => {
    for (let n = 0; !traffic.signal.aborted; n++) {
      const body = JSON.stringify({ message: `normal ${n}` });
      const response = await fetch(`${address}/ingest`, { method: 'POST', body });
      if (response.status === 200) acknowledged++;
      else assert.equal(response.status, 429);
      await response.arrayBuffer();
      await sleep(5);
    }
  })();
  normal.catch(() => {});
  let bytes = 0;
  const times = process.env['LOGLOOM_FULL'] === '1' ? senders : 1;
  const bombs = Object.entries(createBombs()).flatMap((bomb, i) =>
    Array.from({ length: i === 0 ? senders : times }, () => bomb),
  );
  const throwAll = async (): Promise<void> => {
    for (let next; (next = bombs.shift()) !== undefined;) {
      const [name, bomb] = next;
      const encoding = bomb.encoding ?? 'gzip';
      const body = encoding === 'zstd' ? zstdCompressSync(bomb.body) : gzipSync(bomb.body, { level: 1 });
      const status = await send(address, { ...bomb, body }, encoding);
      assert.ok(bomb.statuses.includes(status) || status === 429, `${name}: ${status}`);
      if (status === 200 || status === 400) bytes += bomb.body.length + 64 * 1024;
    }
  };
  await Promise.all(Array.from({ length: senders }, throwAll));
  const before = acknowledged;
  while (acknowledged < before + 10) await sleep(10);
  traffic.abort();
  await normal;
  assert.equal(child.exitCode, null);
  child.kill('SIGKILL');
  await exited;
  const events = await readEvents(folder.path);
  assert.equal(events.filter(({ message }) => message.startsWith('normal')).length, acknowledged);
  assert.ok(statSync(join(folder.path, 'log/logs.dead-letter.db')).size < 3 * bytes);
  const deadLetters = await readDeadLetters(folder.path);
  assert.ok(deadLetters.some(({ code }) => code === 'many-rejected'));
});
