import { Client } from '@elastic/elasticsearch';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs/minimal.js';
import { compressSync, uncompressSync } from 'snappy';
import { captureRequests, type CapturedRequest } from './capture-requests.ts';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from './ingest-harness.ts';
import { mutate, seededRandom, type Random } from './mutate.ts';
import { readOtlpProtobuf } from './otlp-protobuf.ts';
import { tagOf } from './protobuf-reader.ts';

// FUZZ_REQUESTS=1000000 node --test services/ingest/src/fuzz.int.test.ts takes some minutes; FUZZ_SEED repeats a run.
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 3000);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const requestsOfRound = 20_000;
const atOnce = 32;

const agent = new Agent({ keepAlive: true, maxSockets: atOnce });

async function post(
  address: string,
  { path, contentType, body }: CapturedRequest,
  encoding = 'identity',
): Promise<{ status: number; body: Buffer }> {
  const headers = { 'content-type': contentType, 'content-encoding': encoding };
  // A request without an answer fails the test rather than holding it up.
  const signal = AbortSignal.timeout(120_000);
  const request = httpRequest(address + path, { method: 'POST', agent, headers, signal });
  const answered = new Promise<{ status: number; body: Buffer }>((resolve, fail) => {
    request.on('error', fail);
    request.on('response', (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode!, body }), fail);
    });
  });
  request.end(body);
  return answered;
}

async function log(exporter: LogRecordExporter): Promise<void> {
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  for (const n of [1, 2, 3])
    provider.getLogger('fuzz').emit({
      ...{
        timestamp: 1_767_225_600_000 + n,
        severityNumber: 4 * n,
        body: n === 2 ? { msg: 'm', n } : 'text',
      },
      attributes: { request_id: 'r', n, nested: { list: [1, 'two', null, { three: 3.5 }] } },
    });
  await provider.shutdown();
}

/** What real clients send, with Loki's two formats as its clients write them. */
async function captureSeeds(address: string): Promise<CapturedRequest[]> {
  const captured = await captureRequests(address, async (address) => {
    await log(new ProtobufExporter({ url: `${address}/v1/logs` }));
    await log(new JsonExporter({ url: `${address}/v1/logs` }));
    const client = new Client({ node: address });
    await client.helpers.bulk({
      datasource: [1, 2, 3].map((n) => ({
        '@timestamp': new Date(),
        message: 'm',
        log: { level: 'warn' },
        n,
      })),
      onDocument: () => ({ create: { _index: 'fuzz' } }),
    });
  });
  const line = `{"timestamp":"2026-01-01T00:00:00Z","level":"warn","service":"s","msg":"m","trace_id":"t","n":{"a":[1]}}`;
  const ingest = { path: '/ingest', contentType: 'application/x-ndjson' };
  const loki = { path: '/loki/api/v1/push', contentType: 'application/json' };
  const metadata = { trace_id: 'a'.repeat(32) };
  const values = [
    ['1767225600000000000', 'level=info text', metadata] as const,
    ['1767225600000000001', line],
  ];
  const streams = [{ stream: { app: 'a', job: 'j"' }, values }];
  return [
    ...captured,
    { ...ingest, body: Buffer.from(`${line}\n${line}\n${line}\n`) },
    { ...ingest, contentType: 'application/json', body: Buffer.from(`[${line},${line}]`) },
    { ...loki, body: Buffer.from(JSON.stringify({ streams })) },
    { ...loki, contentType: 'application/x-protobuf', body: lokiPush(['line one', line]) },
  ];
}

function lokiPush(lines: string[]): Buffer {
  const writer = protobuf.Writer.create()
    .uint32(tagOf(1))
    .fork()
    .uint32(tagOf(1))
    .string('{app="a", job="j"}');
  for (const line of lines) {
    writer.uint32(tagOf(2)).fork().uint32(tagOf(1)).fork().uint32(8).int64(1_767_225_600).ldelim();
    writer.uint32(tagOf(2)).string(line).ldelim();
  }
  return Buffer.from(compressSync(Buffer.from(writer.ldelim().finish())));
}

/** A mutated request: mostly the body, now and then how it is packed or what it is called. */
function malform(seeds: CapturedRequest[], random: Random): [request: CapturedRequest, encoding: string] {
  const chosen = seeds[random(seeds.length)]!;
  const other = seeds[random(seeds.length)]!;
  const isSnappy = chosen.path.startsWith('/loki') && chosen.contentType === 'application/x-protobuf';
  let body: Buffer;
  if (isSnappy && random(4) > 0)
    body = compressSync(mutate(uncompressSync(chosen.body) as Buffer, other.body, random));
  else body = mutate(chosen.body, other.body, random);
  const contentType = random(50) === 0 ? other.contentType : chosen.contentType;
  if (random(20) > 0) return [{ ...chosen, contentType, body }, 'identity'];
  const packed = gzipSync(body);
  return [{ ...chosen, contentType, body: random(2) === 0 ? packed : mutate(packed, body, random) }, 'gzip'];
}

/** A request with a bad event between two good ones of the given name; the bad one is anything that keeps its frame. */
function between(name: string, good: Buffer, random: Random): CapturedRequest {
  const bad = mutate(good, good, random);
  if (random(2) === 0) {
    const lines = [
      `{"message":"${name}"}`,
      bad.toString('latin1').replaceAll('\n', ' '),
      `{"message":"${name}"}`,
    ];
    const body = lines.map((line) => `{"create":{"_index":"i"}}\n${line}`).join('\n');
    return { path: '/_bulk', contentType: 'application/x-ndjson', body: Buffer.from(`${body}\n`, 'latin1') };
  }
  const record = protobuf.Writer.create()
    .uint32(tagOf(5))
    .fork()
    .uint32(tagOf(1))
    .string(name)
    .ldelim()
    .finish();
  const writer = protobuf.Writer.create().uint32(tagOf(1)).fork().uint32(tagOf(2)).fork();
  for (const each of [record, bad, record]) writer.uint32(tagOf(2)).bytes(each);
  const body = Buffer.from(writer.ldelim().ldelim().finish());
  return { path: '/v1/logs', contentType: 'application/x-protobuf', body };
}

/** Bytes on the port that are no HTTP, or break off: nobody waits for their answer, the others do for theirs. */
function disturb(address: string, bytes: Buffer, random: Random): void {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.on('error', () => {});
  const head = `POST /ingest HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes.length + random(3)}\r\n\r\n`;
  socket.write(random(2) === 0 ? head : bytes);
  socket.end(bytes, () => socket.destroy());
}

const expected = new Set([200, 201, 204, 400, 413, 415]);

async function round(count: number, random: Random): Promise<Map<string, number>> {
  using folder = temporaryFolder();
  const statuses = new Map<string, number>();
  const named: string[] = [];
  let counted: { accepted: number; rejected: number };
  {
    await using service = await startForTest(folder.path);
    const { address, telemetry } = service;
    const seeds = await captureSeeds(address);
    assert.ok(seeds.length >= 7);
    const records = seeds
      .filter(({ path, contentType }) => path === '/v1/logs' && contentType === 'application/x-protobuf')
      .flatMap(({ body }) => readOtlpProtobuf(body).flatMap(({ records }) => records));
    for (const { status } of await Promise.all(seeds.map((seed) => post(address, seed))))
      assert.ok(status === 200 || status === 204, `a seed was answered ${status}`);

    let sent = 0;
    const work = async (): Promise<void> => {
      while (sent < count) {
        const number = sent++;
        if (number % 100 === 0) disturb(address, mutate(seeds[0]!.body, seeds[1]!.body, random), random);
        if (number % 4 === 0) {
          const name = `good-${number}`;
          const { status, body } = await post(
            address,
            between(name, records[random(records.length)]!, random),
          );
          assert.equal(status, 200, body.toString());
          named.push(name, name);
          continue;
        }
        const [request, encoding] = malform(seeds, random);
        const { status, body } = await post(address, request, encoding);
        const text = `${request.path} ${request.contentType} ${status}`;
        assert.ok(
          expected.has(status),
          `${text}: ${body.toString()}, sent ${request.body.toString('base64')}`,
        );
        if (status >= 400) assert.notEqual(body.length, 0, text);
        statuses.set(text, (statuses.get(text) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    assert.equal((await fetch(`${address}/health/ready`)).status, 200);
    const sum = async (name: string): Promise<number> =>
      (await telemetry.registry.getSingleMetric(name)!.get()).values.reduce(
        (total, { value }) => total + value,
        0,
      );
    assert.equal(
      await sum('logloom_ingest_pending_bytes'),
      0,
      'bytes of answered requests are still counted',
    );
    await service.drain();
    counted = {
      accepted: await sum('logloom_ingest_events_total'),
      rejected: await sum('logloom_ingest_rejected_events_total'),
    };
  }
  const events = await readEvents(folder.path);
  for (const event of events) assert.equal(typeof JSON.parse(event.attributes), 'object');
  const letters = await readDeadLetters(folder.path);
  assert.deepEqual({ accepted: events.length, rejected: letters.length }, counted);
  assert.ok(letters.every(({ code, message }) => code !== '' && message !== ''));
  const good = events.filter(({ message }) => message.startsWith('good-')).map(({ message }) => message);
  assert.deepEqual(good.sort(), named.sort());
  return statuses;
}

test(`${requests} malformed requests, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  const statuses = new Map<string, number>();
  for (let done = 0; done < requests; done += requestsOfRound) {
    for (const [text, count] of await round(Math.min(requestsOfRound, requests - done), random))
      statuses.set(text, (statuses.get(text) ?? 0) + count);
    const { heapUsed, rss } = process.memoryUsage();
    t.diagnostic(`${done} and more: heap ${heapUsed >> 20} MiB, resident ${rss >> 20} MiB`);
  }
  for (const [text, count] of [...statuses].sort()) t.diagnostic(`${count} ${text}`);
  agent.destroy();
});
