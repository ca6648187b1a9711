import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { assertGoodOnes, FuzzRun } from '../testing/fuzz-run.ts';
import { freeSyslogPort, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { mutate, type Random } from '../testing/mutate.ts';

const run = new FuzzRun(2000, process.env);
const inputsOfRound = 20_000;
/** What the kernel's buffer surely holds. */
const inFlight = 50;

const json = Buffer.from(
  '{"version":"1.1","host":"h","short_message":"m","full_message":"m\\nm","timestamp":1767225600.5,"level":4,"_n":[1,{"a":null}]}',
);
const part = (index: number, count: number, bytes: Buffer, id = Buffer.from('identity')): Buffer =>
  Buffer.concat([Buffer.from([0x1e, 0x0f]), id, Buffer.from([index, count]), bytes]);
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
      const parts = [whole.subarray(0, 20), whole.subarray(20)].map((bytes, i) => part(i, 2, bytes, id));
      // The first part twice: it is taken once.
      await sendAll([parts[1]!, parts[1]!, parts[0]!, named(`good ${sent} plain`)]);
      const isGone = async (): Promise<boolean> =>
        (await service.sumOf('logloom_ingest_events_total')) >= good.length;
      await eventually('the good ones are stored', isGone);
    }
    socket.close();
    await service.drain();
    assert.equal(await service.sumOf('logloom_ingest_pending_bytes'), 0);
    counted = await service.countedEvents();
  }
  await assertGoodOnes(folder.path, counted, good);
}

test(`${run.inputs} malformed datagrams and messages of GELF, seed ${run.seed}: the good ones beside them are intact`, (t) =>
  run.rounds(t, inputsOfRound, round));
