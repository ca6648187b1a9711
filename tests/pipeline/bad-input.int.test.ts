import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { Pipeline } from './pipeline.ts';

const good = (n: number): string =>
  JSON.stringify({ level: 'info', service: 'good', message: `good ${n}`, traceId: `trace-${n % 10}` });

/** Lines that are no events, each with the code that says so. */
const bad: [line: string | Buffer, code: string][] = [
  ['{"message":', 'bad-json'],
  ['[1,2]', 'not-an-object'],
  ['"text"', 'not-an-object'],
  ['{}', 'empty-event'],
  ['['.repeat(100_000), 'bad-json'],
  [`{"message":"m","a":${'['.repeat(100)}${']'.repeat(100)}}`, 'too-deep'],
  [`{"message":"${'x'.repeat(10 * 2 ** 20)}"}`, 'event-too-large'],
  [Buffer.from([...Buffer.from('{"message":"'), 0xff, 0xfe, ...Buffer.from('"}')]), 'invalid-utf8'],
];

test('bad input of every kind is answered with its reason, kept as a dead letter, and costs nothing else', async (t) => {
  await using pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '1000' });
  await pipeline.start();

  await t.test('lines: each refused one with its code, the good ones beside them accepted', async () => {
    const lines = bad.flatMap(([line], n) => [Buffer.from(good(n)), Buffer.from(line)]);
    const body = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
    for (const encoding of [undefined, 'gzip'] as const) {
      const response = await pipeline.ingest(
        new Uint8Array(encoding === 'gzip' ? gzipSync(body) : body),
        encoding === undefined ? {} : { 'content-encoding': encoding },
      );
      assert.equal(response.status, 200);
      const answer = (await response.json()) as {
        accepted: number;
        rejected: { line: number; code: string }[];
      };
      assert.equal(answer.accepted, bad.length);
      assert.deepEqual(
        answer.rejected.map(({ line, code }) => [line, code]),
        bad.map(([, code], n) => [2 * n + 2, code]),
      );
    }
  });

  await t.test('nobody else can read what is stored', () => {
    const paths = readdirSync(pipeline.dataFolder, { recursive: true, encoding: 'utf8' });
    assert.ok(
      paths.some((path) => path.startsWith('log/')) && paths.some((path) => path.startsWith('stores/')),
    );
    const open = paths.filter((path) => (statSync(join(pipeline.dataFolder, path)).mode & 0o077) !== 0);
    assert.deepEqual(open, []);
  });

  await t.test('requests that are none', async () => {
    const statuses = [
      (await pipeline.ingest('')).status,
      (await pipeline.ingest('nonsense')).status,
      (await pipeline.ingest(good(1), { 'content-type': 'image/png' })).status,
      (await pipeline.ingest('not gzip', { 'content-encoding': 'gzip' })).status,
      (await fetch(`${pipeline.viewersUrl}/api/search?q=level:(error`)).status,
      (await fetch(`${pipeline.viewersUrl}/api/search?cursor=nonsense`)).status,
      (await fetch(`${pipeline.viewersUrl}/live/sse?filter=a:%5B`)).status,
      (await fetch(`${pipeline.viewersUrl}/../../etc/passwd`)).status,
    ];
    assert.deepEqual(statuses, [400, 400, 415, 400, 400, 400, 400, 404]);
  });

  await t.test('messages of a viewer: an error each, and the connection stays', async () => {
    const socket = new WebSocket(`${pipeline.viewersUrl.replace('http', 'ws')}/live`);
    const received: { type: string; code?: string }[] = [];
    socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString()) as { type: string }));
    await once(socket, 'open');
    socket.send('{"type":');
    socket.send('{"type":"dance"}');
    socket.send('{"type":"subscribe","id":"a","filter":"level:(error"}');
    socket.send('{"type":"subscribe","id":"b","from":{"cursor":"nonsense"}}');
    socket.send(JSON.stringify({ type: 'subscribe', id: 'c', filter: 'x'.repeat(70_000) }));
    socket.send(Buffer.from([0, 1, 2]), { binary: true });
    socket.send('{"type":"subscribe","id":"d","filter":"service:good"}');
    while (!received.some(({ type }) => type === 'subscribed')) await once(socket, 'message');
    const codes = received.filter(({ type }) => type === 'error').map(({ code }) => code);
    assert.deepEqual(codes, [
      'bad-message',
      'unknown-type',
      'bad-filter',
      'bad-cursor',
      'message-too-large',
      'binary-not-supported',
    ]);
    socket.terminate();
  });

  await t.test('afterwards everything good is there, and everything bad is in the dead letters', async () => {
    await pipeline.untilDone();
    const { total } = await pipeline.get<{ total: { value: number } }>('/api/search?q=service:good');
    assert.equal(total.value, 2 * bad.length);
    const { topics } = await pipeline.get<{ topics: Record<string, { start: number; end: number }[]> }>(
      '/api/status',
    );
    const deadLetters = topics['logs.dead-letter']!.reduce((sum, { start, end }) => sum + end - start, 0);
    // The two requests with one unreadable line each count too.
    assert.ok(deadLetters >= 2 * bad.length, `${deadLetters} dead letters`);
    assert.ok(pipeline.isRunning);
    assert.equal(await pipeline.end('SIGTERM'), 0, pipeline.errors);
  });
});
