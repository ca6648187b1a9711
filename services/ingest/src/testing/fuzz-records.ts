import { createEmbeddedSchemaRegistry, createSerde, type Serde } from '@logloom/schema-registry';
import { parseMicros, type LogEvent } from '@logloom/schemas';
import protobuf from 'protobufjs/minimal.js';
import { captureSeeds } from './fuzz-inputs.ts';
import { mutate, type Random } from './mutate.ts';
import { protobufType } from '../http/otlp/otlp-response.ts';
import { tagOf } from '../http/protobuf-reader.ts';

/** The formats of records of logs.raw. */
export interface RawSeed {
  /** The content type of the format. */
  type: string;
  bytes: Buffer;
}

/** A good event, with the event that it must become. */
export interface GoodEvent {
  message: string;
  level: string;
  service: string;
  timestamp: number;
  correlationId: string | null;
}

export type MakeGood = (name: string) => RawSeed;

const time = '2026-01-01T00:00:00.123Z';
const micros = parseMicros(time);
const trace = 'ab'.repeat(16);

/** The fields of a good record of each format. A syslog message in RFC 5424 has its trace id in its structured data. */
export function expectedGood(message: string): GoodEvent {
  return { message, level: 'warn', service: 'shop', timestamp: micros, correlationId: trace };
}

/** Returns the same event in each format of logs.raw, with its name in the message. `known` comes from another registry than the embedded one. */
export async function goodMakers(known?: Serde): Promise<MakeGood[]> {
  const serde = known ?? (await createSerde(createEmbeddedSchemaRegistry()));
  const source = { kind: 'http', topic: 'app', partition: 0, offset: 0, index: 0 };
  const event = (message: string): LogEvent => ({
    source,
    timestamp: micros,
    receivedAt: 0,
    level: 'warn',
    service: 'shop',
    host: null,
    message,
    correlationId: null,
    correlationKind: null,
    traceId: trace,
    spanId: null,
    attributes: '{}',
  });
  return [
    (name) => json('application/json', { time, lvl: 'warn', app: 'shop', msg: name, trace_id: trace }),
    (name) =>
      json('application/json', {
        '@timestamp': time,
        log: { level: 'WARN' },
        message: name,
        ecs: { version: '8.11.0' },
        service: { name: 'shop' },
        trace: { id: trace },
      }),
    (name) => ({
      type: 'text/plain',
      bytes: Buffer.from(`time=${time} level=warn service=shop trace_id=${trace} msg="${name}"`),
    }),
    (name) => ({ type: 'text/syslog', bytes: syslogMessage(name) }),
    (name) => ({ type: 'application/avro', bytes: Buffer.from(serde.encode('LogEvent', event(name))) }),
    (name) => ({ type: protobufType, bytes: otlpRequest(name) }),
  ];
}

/** A message in RFC 5424. */
export function syslogMessage(text: string): Buffer {
  return Buffer.from(`<12>1 ${time} h shop 7 ID [o@32473 traceId="${trace}"] ${text}`);
}

function json(type: string, value: unknown): RawSeed {
  return { type, bytes: Buffer.from(JSON.stringify(value)) };
}

function otlpRequest(text: string): Buffer {
  const { Writer } = protobuf;
  const name = Writer.create().uint32(tagOf(1)).string('service.name');
  name.uint32(tagOf(2)).fork().uint32(tagOf(1)).string('shop').ldelim();
  const resource = Writer.create().uint32(tagOf(1)).bytes(name.finish());
  const record = Writer.create()
    .uint32(9)
    .fixed64(`${BigInt(micros) * 1000n}`)
    .uint32(16)
    .int32(13);
  record.uint32(tagOf(5)).fork().uint32(tagOf(1)).string(text).ldelim();
  record.uint32(tagOf(9)).bytes(Buffer.from(trace, 'hex'));
  const scope = Writer.create().uint32(tagOf(2)).bytes(record.finish());
  const group = Writer.create().uint32(tagOf(1)).bytes(resource.finish());
  group.uint32(tagOf(2)).bytes(scope.finish());
  return Buffer.from(Writer.create().uint32(tagOf(1)).bytes(group.finish()).finish());
}

/** Lines of syslog daemons and devices, and of others that misuse the port. */
const syslogLines = [
  '<165>1 2026-01-01T00:00:00.003Z host.example.com evntslog 12 ID47 [exampleSDID@32473 iut="3" eventID="1011"] \ufefftext',
  "<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed for lonvick on /dev/pts/8",
  '<189>29: *Mar  1 18:46:11.123 UTC: %SYS-5-CONFIG_I: Configured from console by vty2 (10.34.195.36)',
  "<134>1 1563249630.774247467 MX84 events type=vpn_connectivity_change vpn_type='site-to-site' peer_contact='1.2.3.4'",
  '<13>1 2026-01-01T00:00:00Z h app - - - @cee: {"level":"error","msg":"m","requestId":"r","syslog":1}',
  '<13>Jan  1 00:00:00 h app[1]: {"time":"2026-01-01T00:00:00Z","level":30,"msg":"m"}',
  'GET / HTTP/1.1',
].map((line) => Buffer.from(line));

/** Returns real bytes to mutate: what the clients of OpenTelemetry and Elasticsearch send, and a record of each other format. */
export async function rawSeeds(address: string): Promise<RawSeed[]> {
  const captured = await captureSeeds(address);
  const requests = captured
    .filter(({ path }) => path === '/v1/logs' || path === '/ingest')
    .map(({ contentType, body }) => ({ type: contentType, bytes: body }));
  const made = (await goodMakers()).map((make) => make('seed'));
  const bulk = captured.find(({ path }) => path.endsWith('/_bulk'))!.body.toString();
  const documents = bulk.split('\n').filter((line, i) => i % 2 === 1 && line !== '');
  return [
    ...requests,
    ...made,
    ...documents.map((text) => ({ type: 'application/json', bytes: Buffer.from(text) })),
    ...syslogLines.map((bytes) => ({ type: 'text/syslog', bytes })),
  ];
}

/** Returns a malformed record with its own content type, another's, or none. */
export function malformRecord(seeds: readonly RawSeed[], random: Random): { bytes: Buffer; type?: string } {
  const chosen = seeds[random(seeds.length)]!;
  const other = seeds[random(seeds.length)]!;
  const bytes = mutate(chosen.bytes, other.bytes, random);
  const kind = random(6);
  if (kind < 3) return { bytes };
  return { bytes, type: kind === 5 ? other.type : chosen.type };
}

/**
 * A malformed message that is still one message: without newlines and NULs, and not beginning with what counts octets. Undefined where nothing
 * is left of it: between messages such bytes are padding.
 */
export function malformLine(random: Random): Buffer | undefined {
  const line = syslogLines[random(syslogLines.length)]!;
  const bytes = mutate(line, syslogLines[random(syslogLines.length)]!, random).map((byte) =>
    byte === 0x0a || byte === 0x00 ? 0x20 : byte,
  );
  const start = bytes.findIndex((byte) => byte !== 0x0d && byte !== 0x00);
  if (start === -1) return undefined;
  const content = Buffer.from(bytes.subarray(start));
  return content[0]! >= 0x31 && content[0]! <= 0x39 ? Buffer.concat([Buffer.from('<'), content]) : content;
}

/** Returns random bytes. */
export function malformStream(random: Random): Buffer {
  const parts = Array.from({ length: 20 }, () => {
    const line = syslogLines[random(syslogLines.length)]!;
    const framed = random(2) === 0 ? `${line.length} ${line.toString()}` : `${line.toString()}\n`;
    return mutate(Buffer.from(framed), syslogLines[random(syslogLines.length)]!, random);
  });
  return Buffer.concat(parts);
}
