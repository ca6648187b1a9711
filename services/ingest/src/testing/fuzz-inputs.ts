import { Client } from '@elastic/elasticsearch';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs/minimal.js';
import { compressSync, uncompressSync } from 'snappy';
import { captureRequests, type CapturedRequest } from './capture-requests.ts';
import { mutate, type Random } from './mutate.ts';
import { protobufType } from '../http/otlp/otlp-response.ts';
import { readOtlpProtobuf } from '../http/otlp/otlp-protobuf.ts';
import { RequestCost } from '../admission/request-cost.ts';
import { tagOf } from '../http/protobuf-reader.ts';

async function log(exporter: LogRecordExporter): Promise<void> {
  const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
  for (const n of [1, 2, 3])
    provider.getLogger('fuzz').emit({
      timestamp: 1_767_225_600_000 + n,
      severityNumber: 4 * n,
      body: n === 2 ? { msg: 'm', n } : 'text',
      attributes: { request_id: 'r', n, nested: { list: [1, 'two', null, { three: 3.5 }] } },
    });
  await provider.shutdown();
}

/** Returns what real clients send, and Loki's two formats as its clients write them. */
export async function captureSeeds(address: string): Promise<CapturedRequest[]> {
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
    ...furtherSeeds(line),
    { ...ingest, body: Buffer.from(`${line}\n${line}\n${line}\n`) },
    { ...ingest, contentType: 'application/json', body: Buffer.from(`[${line},${line}]`) },
    { ...loki, body: Buffer.from(JSON.stringify({ streams })) },
    {
      ...loki,
      contentType: 'application/x-protobuf',
      body: compressSync(lokiStream([lokiEntry('line one'), lokiEntry(line)])),
    },
  ];
}

/** What clients of the other receivers send. */
function furtherSeeds(line: string): CapturedRequest[] {
  const json = 'application/json';
  const splunk = `{"time":1767225600.5,"host":"h","source":"s","event":${line},"fields":{"a":"b"}}`;
  const old = { streams: [{ labels: '{app="a"}', entries: [{ ts: '2026-01-01T00:00:00Z', line: 'l' }] }] };
  const span = {
    traceId: 'ab'.repeat(16),
    spanId: '01'.repeat(8),
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: '1767225600000000000',
    endTimeUnixNano: '1767225600100000000',
    attributes: [{ key: 'n', value: { intValue: '1' } }],
    events: [{ name: 'e' }],
    status: { code: 2 },
  };
  const seed = (path: string, contentType: string, text: string): CapturedRequest => ({
    path,
    contentType,
    body: Buffer.from(text),
  });
  return [
    seed('/services/collector/event', json, `${splunk}${splunk}`),
    seed('/services/collector/raw?channel=c', 'text/plain', `2026-01-01T00:00:00Z ERROR text\n${line}\n`),
    seed(
      '/gelf',
      json,
      '{"version":"1.1","host":"h","short_message":"m","timestamp":1767225600.5,"level":4,"_n":1}',
    ),
    seed('/api/v2/logs?ddsource=nodejs', json, `[{"message":"m","status":"warn","ddtags":"a:b,c"},${line}]`),
    seed(
      '/upload',
      'application/vnd.fdo.journal',
      'PRIORITY=3\nMESSAGE\n\x03\0\0\0\0\0\0\0a\nb\n\nMESSAGE=m\n\n',
    ),
    seed('/api/prom/push', json, JSON.stringify(old)),
    seed('/v1/traces', json, JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })),
    seed('/ingest', json, `${line}${line} ${line}`),
    seed('/ingest', 'text/plain', `2026-01-01 00:00:00 WARN text\nERROR x\n\tat a.B(C.java:1)\n${line}\n`),
  ];
}

function lokiEntry(line: string): Buffer {
  const writer = protobuf.Writer.create().uint32(tagOf(1)).fork().uint32(8).int64(1_767_225_600).ldelim();
  return Buffer.from(writer.uint32(tagOf(2)).string(line).finish());
}

function lokiStream(entries: Buffer[]): Buffer {
  const writer = protobuf.Writer.create()
    .uint32(tagOf(1))
    .fork()
    .uint32(tagOf(1))
    .string('{app="a", job="j"}');
  for (const entry of entries) writer.uint32(tagOf(2)).bytes(entry);
  return Buffer.from(writer.ldelim().finish());
}

/** Returns a mutated request: mostly its body, sometimes its encoding or content type. */
export function malform(
  seeds: CapturedRequest[],
  random: Random,
): [request: CapturedRequest, encoding: string] {
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

/** In a request of good and bad events. */
export const goodOfMix = 10;
export const badOfMix = 40;

/** Real events of each framing, to be malformed one by one. */
export interface Parts {
  document: Buffer;
  records: Buffer[];
  entry: Buffer;
}

/** Returns the events of the captured requests. */
export function partsOf(seeds: readonly CapturedRequest[]): Parts {
  const otlp = seeds.filter(({ path, contentType }) => path === '/v1/logs' && contentType === protobufType);
  return {
    document: seeds.find(({ path }) => path === '/ingest')!.body,
    records: otlp.flatMap(({ body }) =>
      readOtlpProtobuf(body, RequestCost.ofRecord(2 ** 20, 2 ** 30)).flatMap(({ records }) => records),
    ),
    entry: lokiEntry('level=info line'),
  };
}

/** Returns a request with bad events among good ones of the given name. The bad ones are anything that keeps the frame intact. */
export function among(name: string, { document, records, entry }: Parts, random: Random): CapturedRequest {
  const text = Buffer.from(`{"message":"${name}"}`);
  const line = (): Buffer =>
    Buffer.from(mutate(document, entry, random).map((byte) => (byte === 10 ? 32 : byte)));
  const object = (): Buffer =>
    Buffer.from(JSON.stringify({ message: line().toString('latin1'), level: {}, timestamp: random(9) }));
  switch (random(9)) {
    case 4:
      return {
        path: '/services/collector/raw',
        contentType: 'text/plain',
        body: lined(mix(Buffer.from(name), line)),
      };
    case 5: {
      const wrapped = mix(text, object).map((each) => Buffer.from(`{"event":${each.toString()},"time":1}`));
      return { path: '/services/collector', contentType: 'application/json', body: Buffer.concat(wrapped) };
    }
    case 6:
      return { path: '/gelf', contentType: 'application/json', body: lined(mix(text, object)) };
    case 7:
      return { path: '/api/v2/logs', contentType: 'application/json', body: lined(mix(text, object)) };
    case 8: {
      const field = (value: Buffer): Buffer => {
        const length = Buffer.alloc(8);
        length.writeUInt32LE(value.length);
        return Buffer.concat([Buffer.from('MESSAGE\n'), length, value, Buffer.from('\n\n')]);
      };
      const entries = mix(field(Buffer.from(name)), () => field(mutate(document, entry, random)));
      return { path: '/upload', contentType: 'application/vnd.fdo.journal', body: Buffer.concat(entries) };
    }
    case 0:
      return {
        path: '/_bulk',
        contentType: 'application/x-ndjson',
        body: lined(mix(text, line).flatMap((each) => [Buffer.from('{"create":{"_index":"i"}}'), each])),
      };
    case 1:
      return { path: '/ingest', contentType: 'application/x-ndjson', body: lined(mix(text, line)) };
    case 2: {
      const good = protobuf.Writer.create().uint32(tagOf(5)).fork().uint32(tagOf(1)).string(name).ldelim();
      const bad = (): Buffer => mutate(records[random(records.length)]!, document, random);
      const writer = protobuf.Writer.create().uint32(tagOf(1)).fork().uint32(tagOf(2)).fork();
      for (const each of mix(Buffer.from(good.finish()), bad)) writer.uint32(tagOf(2)).bytes(each);
      const body = Buffer.from(writer.ldelim().ldelim().finish());
      return { path: '/v1/logs', contentType: 'application/x-protobuf', body };
    }
    default: {
      const entries = mix(lokiEntry(name), () => mutate(entry, document, random));
      const body = Buffer.from(compressSync(lokiStream(entries)));
      return { path: '/loki/api/v1/push', contentType: 'application/x-protobuf', body };
    }
  }
}

/** Good events with bad ones between them. */
function mix(good: Buffer, bad: () => Buffer): Buffer[] {
  return Array.from({ length: goodOfMix + badOfMix }, (_, i) => (i % 5 === 4 ? good : bad()));
}

function lined(parts: Buffer[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')]));
}
