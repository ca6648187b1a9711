import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, Pipeline } from '../../../tests/pipeline/pipeline.ts';
import { Transport, type Problem, type TransportOptions } from './index.js';

let pipeline: Pipeline;
let spool: string;
before(async () => {
  pipeline = await Pipeline.create();
  spool = mkdtempSync(join(tmpdir(), 'logloom-spool-'));
  await pipeline.start();
});
after(async () => {
  await pipeline[Symbol.asyncDispose]();
  rmSync(spool, { recursive: true, force: true });
});

/** The numbers of a service's events in the order of the log: one service's are in one partition. */
async function numbers(service: string, expected: number): Promise<number[]> {
  interface Found {
    total: { value: number };
    events: { offset: number; attributes: { n: number } }[];
  }
  const path = `/api/search?q=service:${service}&limit=1000&order=asc`;
  const read = (): Promise<Found> => pipeline.get<Found>(path);
  await eventually(`${expected} events of ${service}`, async () => (await read()).total.value >= expected);
  // Anything more would be a copy.
  await pipeline.untilDone();
  const { total, events } = await read();
  assert.equal(total.value, expected);
  return events.toSorted((a, b) => a.offset - b.offset).map(({ attributes }) => attributes.n);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

function program(options: TransportOptions, count: number, end: string) {
  const file = join(import.meta.dirname, 'testing/app.child.ts');
  return spawn(process.execPath, [
    file,
    JSON.stringify({ url: pipeline.ingestUrl, ...options }),
    String(count),
    end,
  ]);
}

test('every line arrives once and in order while Logloom is killed and started under it', async () => {
  const problems: string[] = [];
  const transport = new Transport({
    url: pipeline.ingestUrl,
    service: 'through-kills',
    batchLines: 40,
    lingerMs: 5,
    onProblem: ({ code }) => problems.push(code),
  });
  const log = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n++) {
      transport.write({ message: `line ${n}`, n });
      if (n % 10 === 0) await sleep(2);
    }
  };
  await log(0, 300);
  const during = log(300, 900);
  await pipeline.end('SIGKILL');
  await during;
  await pipeline.start();
  assert.equal(await transport.close(60_000), true);
  assert.deepEqual(await numbers('through-kills', 900), upTo(900));
  const { written, sent, dropped, rejected, queuedBytes } = transport.stats;
  assert.deepEqual(
    { written, sent, dropped, rejected, queuedBytes },
    {
      written: 900,
      sent: 900,
      dropped: 0,
      rejected: 0,
      queuedBytes: 0,
    },
  );
  assert.ok(transport.stats.retries > 0 && problems.length > 0, 'it noticed');
});

test('a program that ends by itself, by process.exit() or by an error loses no line', async () => {
  const ends = { return: 0, exit: 0, throw: 1 };
  await Promise.all(
    Object.entries(ends).map(async ([end, code]) => {
      const child = program({ service: `ends-by-${end}`, lingerMs: 60_000, exitTimeoutMs: 60_000 }, 400, end);
      assert.deepEqual(await once(child, 'exit'), [code, null]);
    }),
  );
  for (const end of Object.keys(ends)) assert.deepEqual(await numbers(`ends-by-${end}`, 400), upTo(400), end);
});

test('a spool survives kill -9 and is sent by the next process, once', async () => {
  const options = { service: 'spooled', spool, batchLines: 30, lingerMs: 1 };
  const child = program(options, 1_000_000, 'killed');
  const output = text(child.stdout);
  await eventually('something is there', async () => (await totalOf('spooled')) > 0);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const logged = (await output).split('\n').length - 1;
  assert.equal(readdirSync(spool).length, 1, 'what it left');
  const next = new Transport({ url: pipeline.ingestUrl, spool });
  assert.equal(await next.close(120_000), true);
  assert.deepEqual(readdirSync(spool), [], 'nothing is left');
  await eventually('all of it', async () => (await totalOf('spooled')) >= logged);
  await pipeline.untilDone();
  // It may have been killed between a line and the word of it.
  assert.ok([0, 1].includes((await totalOf('spooled')) - logged), `${await totalOf('spooled')} of ${logged}`);
});

async function totalOf(service: string): Promise<number> {
  const found = await pipeline.get<{ total: { value: number } }>(`/api/search?q=service:${service}&limit=1`);
  return found.total.value;
}

test('what Logloom refuses for good is counted and told, and what is beside it arrives', async () => {
  const problems: Problem[] = [];
  const transport = new Transport({
    url: pipeline.ingestUrl,
    service: 'mixed',
    onProblem: (problem) => problems.push(problem),
  });
  const deep = JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) as unknown;
  transport.write({ n: 0, message: 'good' });
  transport.write({ n: 1, message: 'bad', deep });
  transport.write('{"n":2,"message":"as text"}');
  assert.equal(await transport.close(60_000), true);
  assert.equal(transport.stats.rejected, 1);
  assert.deepEqual(
    problems.map(({ code, line }) => [code, JSON.parse(line!) as unknown]),
    [['rejected', { service: 'mixed', n: 1, message: 'bad', deep }]],
  );
  assert.deepEqual(await numbers('mixed', 2), [0, 2]);
});

/** A server of the test's own, for answers that a real one gives only under load. */
async function answering(answer: (body: string, requests: number) => [number, Record<string, string>]) {
  const sequences: string[] = [];
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      sequences.push(String(request.headers['logloom-sequence']));
      const [status, headers] = answer(body, sequences.length);
      response.writeHead(status, headers).end('{"accepted":0,"rejected":[]}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sequences, server };
}

test('429: the same batch under the same numbers, no sooner than Retry-After says', async () => {
  const times: number[] = [];
  const { url, sequences, server } = await answering((_body, requests) => {
    times.push(performance.now());
    return requests === 1 ? [429, { 'retry-after': '1' }] : [200, {}];
  });
  const transport = new Transport({ url, gzip: false, lingerMs: 1, onProblem: () => {} });
  transport.write({ n: 0 });
  await eventually('taken', async () => transport.stats.sent === 1);
  await transport.close();
  server.close();
  assert.deepEqual(sequences, ['0', '0']);
  assert.ok(times[1]! - times[0]! >= 1000, `after ${times[1]! - times[0]!} ms`);
});

test('413: the batch goes in parts; a line that is too large alone is given up and told', async () => {
  const taken: string[] = [];
  const { url, server } = await answering((body) => {
    if (body.length > 60) return [413, {}];
    taken.push(...body.split('\n'));
    return [200, {}];
  });
  const problems: string[] = [];
  const transport = new Transport({ url, gzip: false, onProblem: ({ code }) => problems.push(code) });
  for (let n = 0; n < 9; n++) transport.write({ n, text: n === 4 ? 'x'.repeat(100) : 'short' });
  assert.equal(await transport.close(60_000), true);
  server.close();
  assert.deepEqual(
    taken.map((line) => (JSON.parse(line) as { n: number }).n),
    [0, 1, 2, 3, 5, 6, 7, 8],
  );
  assert.deepEqual(problems, ['rejected']);
});

test('a full buffer drops the newest, counts them, and says so in the stream when there is room again', async () => {
  let isUp = false;
  const taken: string[] = [];
  const { url, server } = await answering((body) => {
    if (!isUp) return [503, {}];
    taken.push(...body.split('\n'));
    return [200, {}];
  });
  const problems: string[] = [];
  const transport = new Transport({
    url,
    gzip: false,
    service: 's',
    maxBufferBytes: 500,
    onProblem: ({ code }) => problems.push(code),
  });
  let kept = 0;
  for (let n = 0; n < 100; n++) if (transport.write({ n })) kept++;
  assert.equal(transport.stats.dropped, 100 - kept);
  assert.ok(kept > 0 && kept < 20);
  isUp = true;
  assert.equal(await transport.flush(60_000), true);
  transport.write({ n: 100 });
  await transport.close(60_000);
  server.close();
  const lines = taken.map((line) => JSON.parse(line) as { n?: number; dropped?: number; level?: string });
  assert.deepEqual(
    lines.map(({ n }) => n),
    [...upTo(kept), undefined, 100],
  );
  assert.deepEqual([lines[kept]!.dropped, lines[kept]!.level], [100 - kept, 'warn']);
  assert.ok(problems.includes('dropped'));
});

test('a key that is wrong at first: lines wait, it is told, and all arrive once there is a right one', async () => {
  await using keyed = await Pipeline.create({ INGEST_KEYS: 'keys.yaml' });
  const sha256 = createHash('sha256').update('right').digest('hex');
  writeFileSync(
    join(keyed.dataFolder, 'keys.yaml'),
    JSON.stringify({ keys: [{ name: 'app', sha256, service: 'keyed' }] }),
  );
  await keyed.start();
  const problems: Problem[] = [];
  let key = 'wrong';
  const transport = new Transport({
    url: keyed.ingestUrl,
    service: 'keyed',
    token: () => key,
    onProblem: (problem) => problems.push(problem),
  });
  for (const n of upTo(50)) transport.write({ timestamp: new Date().toISOString(), message: `line ${n}`, n });
  await eventually('it is told', async () => problems.some(({ code }) => code === 'unauthorized'));
  assert.equal(transport.stats.sent, 0);
  key = 'right';
  assert.equal(await transport.close(60_000), true);
  assert.deepEqual([transport.stats.sent, transport.stats.dropped, transport.stats.rejected], [50, 0, 0]);
  await keyed.untilDone();
  const { total } = await keyed.get<{ total: { value: number } }>('/api/search?q=service:keyed&limit=1');
  assert.equal(total.value, 50);
});
