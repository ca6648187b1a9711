import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { HeapWatch } from '../testing/heap-watch.ts';
import {
  freeSyslogPort,
  readDeadLetters,
  readEvents,
  startForTest,
  temporaryFolder,
} from '../testing/ingest-harness.ts';
import { mutate, seededRandom, type Random } from '../testing/mutate.ts';

// FUZZ_INPUTS=1000000 makes it a long run; FUZZ_SEED repeats one.
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 2000);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const inputsOfRound = 20_000;
/** What the kernel's buffer surely holds. */
const inFlight = 50;

const json = Buffer.from(
  '{"version":"1.1","host":"h","short_message":"m","full_message":"m\\nm","timestamp":1767225600.5,"level":4,"_n":[1,{"a":null}]}',
);
const part = (index: number, count: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x1e, 0x0f]), Buffer.from('identity'), Buffer.from([index, count]), bytes]);
const seeds = [
  json,
  gzipSync(json),
  deflateSync(json),
  part(0, 2, json.subarray(0, 60)),
  part(1, 2, json.subarray(60)),
  part(127, 128, json),
  part(5, 2, json),
  gzipSync(Buffer.alloc(8 * 2 ** 20, ' ')),
];

async function round(count: number, random: Random): Promise<void> {
  using folder = temporaryFolder();
  const good: string[] = [];
  let counted = 0;
  {
    const port = await freeSyslogPort();
    await using service = await startForTest(folder.path, { GELF_PORT: String(port) });
    const valueOf = async (name: string): Promise<number> =>
      (await service.telemetry.registry.getSingleMetric(name)!.get()).values.reduce(
        (sum, { value }) => sum + value,
        0,
      );
    const socket = createSocket('udp4');
    const sendAll = async (datagrams: Buffer[]): Promise<void> => {
      for (const bytes of datagrams)
        await new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
    };
    const bad = (): Buffer => mutate(seeds[random(seeds.length)]!, seeds[random(seeds.length)]!, random);
    const named = (name: string): Buffer => {
      good.push(name);
      return Buffer.from(JSON.stringify({ short_message: name }));
    };
    for (let sent = 0; sent < count; sent += inFlight) {
      await sendAll(Array.from({ length: inFlight - 3 }, bad).filter(({ length }) => length < 60_000));
      const tcp = connect(port, '127.0.0.1').resume();
      tcp.on('error', () => {});
      const broken = bad();
      tcp.end(Buffer.concat([Buffer.from('\0'), named(`good ${sent} tcp`), Buffer.from('\0'), broken]));
      await once(tcp, 'close');
      const whole = gzipSync(named(`good ${sent} parts`));
      const id = Buffer.alloc(8);
      id.writeUInt32LE(sent);
      const parts = [whole.subarray(0, 20), whole.subarray(20)].map((bytes, i) =>
        Buffer.concat([Buffer.from([0x1e, 0x0f]), id, Buffer.from([i, 2]), bytes]),
      );
      // The first part twice: it is taken once.
      await sendAll([parts[1]!, parts[1]!, parts[0]!, named(`good ${sent} plain`)]);
      const isGone = async (): Promise<boolean> =>
        (await valueOf('logloom_ingest_events_total')) >= good.length;
      await eventually('the good ones are stored', isGone);
    }
    socket.close();
    await service.drain();
    assert.equal(await valueOf('logloom_ingest_pending_bytes'), 0);
    counted =
      (await valueOf('logloom_ingest_events_total')) +
      (await valueOf('logloom_ingest_rejected_events_total'));
  }
  const events = await readEvents(folder.path);
  assert.equal(events.length + (await readDeadLetters(folder.path)).length, counted);
  for (const { attributes } of events) assert.equal(typeof JSON.parse(attributes), 'object');
  const found = events.filter(({ message }) => message.startsWith('good ')).map(({ message }) => message);
  assert.deepEqual(found.sort(), good.sort());
}

test(`${inputs} malformed datagrams and messages of GELF, seed ${seed}: the good ones beside them are intact`, async (t) => {
  const random = seededRandom(seed);
  const heap = new HeapWatch();
  for (let done = 0; done < inputs; done += inputsOfRound) {
    await round(Math.min(inputsOfRound, inputs - done), random);
    t.diagnostic(`after ${done + inputsOfRound}: ${heap.look()}`);
  }
});
