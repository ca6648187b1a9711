import { SqliteEventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  expectedGood,
  goodMakers,
  malformLine,
  malformRecord,
  malformStream,
  rawSeeds,
  syslogMessage,
} from '../testing/fuzz-records.ts';
import { FuzzRun } from '../testing/fuzz-run.ts';
import {
  freeSyslogPort,
  readDeadLetters,
  readEvents,
  startForTest,
  temporaryFolder,
} from '../testing/ingest-harness.ts';
import type { Random } from '../testing/mutate.ts';

// FUZZ_INPUTS=1000000 node services/ingest/src/raw/fuzz-records.int.test.ts takes two minutes on two cores.
const run = new FuzzRun(6_000, process.env);
const inputsOfRound = 100_000;
const deadlineMs = 300_000;
/** One in so many is good. */
const goodEvery = 5;
const appendAtOnce = 1_000;
const messagesOfStream = 500;
/** The smallest receive buffer of a kernel holds more. */
const datagramsAtOnce = 50;

type Service = Awaited<ReturnType<typeof startForTest>>;

/** Writes into logs.raw while it is read. Returns the number of records and the names of the good ones. */
async function fuzzRaw(
  count: number,
  service: Service,
  folder: string,
  random: Random,
): Promise<{ records: number; good: string[] }> {
  const seeds = await rawSeeds(service.address);
  const makers = await goodMakers();
  await using cleanUp = new AsyncDisposableStack();
  const log = cleanUp.adopt(new SqliteEventLog(join(folder, 'log')), (opened) => opened.close());
  const partitions = await log.partitionCount(topics.raw);
  const good: string[] = [];
  const one = (n: number) => {
    const isGood = n % goodEvery === 0;
    const name = `good-raw-${n}`;
    if (isGood) good.push(name);
    const made = isGood ? makers[(n / goodEvery) % makers.length]!(name) : undefined;
    const { bytes, type } = made === undefined ? malformRecord(seeds, random) : headed(made, random);
    const headers = type === undefined ? {} : { 'content-type': type };
    return { partition: n % partitions, key: null, value: bytes, headers };
  };
  for (let n = 0; n < count; n += appendAtOnce)
    await log.append(
      topics.raw,
      Array.from({ length: Math.min(appendAtOnce, count - n) }, (_, i) => one(n + i)),
    );
  await eventually(
    'logs.raw is worked off',
    async () => {
      const ends = await log.endOffsets(topics.raw);
      const committed = await log.committed('ingest', topics.raw);
      return committed.every((commit, p) => (commit?.offset ?? 0) === ends[p]);
    },
    deadlineMs,
  );
  return { records: count, good };
}

/** A good record is known without its header, too. */
function headed(made: { type: string; bytes: Buffer }, random: Random): { type?: string; bytes: Buffer } {
  return random(2) === 0 ? made : { bytes: made.bytes };
}

/** Streams of messages, of which each has to be counted; then streams whose frames are broken. */
async function fuzzTcp(count: number, port: number, service: Service, random: Random): Promise<string[]> {
  const good: string[] = [];
  const before = await service.countedEvents('syslog-tcp');
  let sent = 0;
  while (sent < count) {
    const messages: Buffer[] = [];
    for (; messages.length < messagesOfStream && sent < count; sent++) {
      const name = `good-tcp-${sent}`;
      const isGood = sent % goodEvery === 0;
      if (isGood) good.push(name);
      const message = isGood ? syslogMessage(name) : malformLine(random);
      if (message === undefined) {
        sent--;
        continue;
      }
      // Without a priority what follows a number is no message that was counted.
      const isCounted = random(2) === 0 && /^<\d{1,3}>/.test(message.toString('latin1', 0, 5));
      messages.push(
        Buffer.from(isCounted ? `${message.length} ` : ''),
        message,
        Buffer.from(isCounted ? '' : '\n'),
      );
    }
    await stream(port, Buffer.concat(messages));
  }
  assert.equal((await service.countedEvents('syslog-tcp')) - before, sent, 'messages over TCP');
  const isBroken = (n: number): boolean => n % 3 === 0;
  for (let n = 0; n < count / 100; n++) await stream(port, malformStream(random), isBroken(n));
  return good;
}

async function stream(port: number, bytes: Buffer, isBroken = false): Promise<void> {
  const socket = connect(port, '127.0.0.1').resume();
  socket.on('error', () => {});
  if (isBroken) socket.write(bytes, () => setImmediate(() => socket.resetAndDestroy()));
  else socket.end(bytes);
  await once(socket, 'close');
}

async function fuzzUdp(count: number, port: number, service: Service, random: Random): Promise<string[]> {
  const good: string[] = [];
  await using socket = createSocket('udp4');
  const before = await service.countedEvents('syslog-udp');
  for (let sent = 0; sent < count;) {
    for (let i = 0; i < datagramsAtOnce && sent < count;) {
      const name = `good-udp-${sent}`;
      const isGood = sent % goodEvery === 0;
      const message = isGood ? syslogMessage(name) : malformLine(random);
      if (message === undefined) continue;
      if (isGood) good.push(name);
      socket.send(message, port, '127.0.0.1');
      sent++;
      i++;
    }
    await eventually(
      'each datagram is counted',
      async () => (await service.countedEvents('syslog-udp')) - before >= sent,
      deadlineMs,
    );
  }
  assert.equal((await service.countedEvents('syslog-udp')) - before, count, 'messages over UDP');
  return good;
}

async function round(
  count: number,
  random: Random,
): Promise<{ accepted: number; refused: Map<string, number> }> {
  using folder = temporaryFolder();
  const port = await freeSyslogPort();
  const half = Math.ceil(count / 2);
  const quarter = Math.ceil(count / 4);
  let good: string[];
  let raw: Awaited<ReturnType<typeof fuzzRaw>>;
  let all: number;
  {
    await using service = await startForTest(folder.path, { SYSLOG_PORT: String(port) });
    const [fromRaw, ...named] = await Promise.all([
      fuzzRaw(half, service, folder.path, random),
      fuzzTcp(quarter, port, service, random),
      fuzzUdp(quarter, port, service, random),
    ]);
    raw = fromRaw;
    good = [...fromRaw.good, ...named.flat()];
    assert.equal((await fetch(`${service.address}/health/ready`)).status, 200);
    await service.drain();
    assert.equal(await service.sumOf('logloom_ingest_syslog_connections'), 0, 'connections are left');
    all = await service.countedEvents();
  }
  const events = await readEvents(folder.path);
  const deadLetters = await readDeadLetters(folder.path);
  assert.equal(events.length + deadLetters.length, all, 'what is counted is in the log, and nothing else');
  for (const { attributes } of events) assert.equal(typeof JSON.parse(attributes), 'object');
  assert.ok(deadLetters.every(({ code, message }) => code !== '' && message !== ''));
  const stored = new Set(
    [...events, ...deadLetters]
      .filter(({ source }) => source.kind === 'kafka')
      .map(({ source }) => `${source.partition}/${source.offset}`),
  );
  assert.equal(stored.size, raw.records, 'each record has become an event or a dead letter');
  const byName = (a: { message: string }, b: { message: string }): number => (a.message < b.message ? -1 : 1);
  assert.deepEqual(
    events
      .filter(({ message }) => message.includes('good-'))
      .map(({ message, level, service, timestamp, correlationId }) => ({
        message: /good-\w+-\d+/.exec(message)![0],
        level,
        service,
        timestamp,
        correlationId,
      }))
      .sort(byName),
    good.map(expectedGood).sort(byName),
  );
  const refused = new Map<string, number>();
  for (const { code } of deadLetters) refused.set(code, (refused.get(code) ?? 0) + 1);
  return { accepted: events.length, refused };
}

test(`${run.inputs} malformed records and messages, seed ${run.seed}: each an event or a dead letter, the good ones intact`, async (t) => {
  const refused = new Map<string, number>();
  let accepted = 0;
  await run.rounds(t, inputsOfRound, async (inputs, random) => {
    const result = await round(inputs, random);
    accepted += result.accepted;
    for (const [code, count] of result.refused) refused.set(code, (refused.get(code) ?? 0) + count);
  });
  t.diagnostic(`${accepted} events`);
  for (const [code, count] of [...refused].sort()) t.diagnostic(`${count} dead letters ${code}`);
});
