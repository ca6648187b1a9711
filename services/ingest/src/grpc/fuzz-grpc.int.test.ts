import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs/minimal.js';
import { tagOf } from '../http/protobuf-reader.ts';
import { GrpcClient, logsPath, tracesPath } from '../testing/grpc-client.ts';
import { assertGoodOnes, FuzzRun } from '../testing/fuzz-run.ts';
import { startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { mutate, type Random } from '../testing/mutate.ts';
import { grpcMessage } from './grpc-message.ts';

const run = new FuzzRun(1000, process.env);
const inputsOfRound = 20_000;
/** Calls at once on each connection: more than it may have under way. */
const callsAtOnce = 120;
const frameHeadBytes = 9;

function requestOf(texts: readonly string[]): Buffer {
  const writer = protobuf.Writer.create().uint32(tagOf(1)).fork().uint32(tagOf(2)).fork();
  for (const text of texts) {
    writer.uint32(tagOf(2)).fork().uint32(tagOf(5)).fork().uint32(tagOf(1)).string(text).ldelim().ldelim();
  }
  return Buffer.from(writer.ldelim().ldelim().finish());
}

const seeds = [
  grpcMessage(requestOf(['a', 'b', '{"level":"warn"}'])),
  Buffer.concat([Buffer.from([1]), grpcMessage(gzipSync(requestOf(['a', 'b']))).subarray(1)]),
  Buffer.concat([Buffer.from([1]), grpcMessage(gzipSync(Buffer.alloc(2 ** 22))).subarray(1)]),
];

/** A frame of HTTP/2 whose head may say anything of it. */
function frame(random: Random, bytes: Buffer): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUIntBE(random(3) === 0 ? random(2 ** 24) : bytes.length, 0, 3);
  head[3] = random(12);
  head[4] = random(256);
  head.writeUInt32BE(random(5), 5);
  return Buffer.concat([head, bytes]);
}

/** Sends frames that break off or lie, and leaves. */
function disturb(port: number, random: Random): void {
  const socket = connect(port, '127.0.0.1').resume();
  socket.on('error', () => {});
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const frames = Array.from({ length: 5 }, () => frame(random, mutate(seeds[0]!, seeds[1]!, random)));
  const bytes = Buffer.concat([preface, settings, ...frames]);
  socket.end(random(4) === 0 ? mutate(bytes, seeds[0]!, random) : bytes);
  setTimeout(() => socket.destroy(), 20);
}

const answers = new Set(['0', '3', '12', '14']);

async function round(count: number, random: Random): Promise<void> {
  using folder = temporaryFolder();
  const good: string[] = [];
  let counted = 0;
  {
    const port = await freePort();
    await using service = await startForTest(folder.path, {
      OTLP_GRPC_PORT: String(port),
      INGEST_MAX_BODY_BYTES: '1000000',
    });
    for (let sent = 0; sent < count;) {
      using client = new GrpcClient(port);
      const calls = Array.from({ length: Math.min(callsAtOnce, count - sent) }, async () => {
        const number = sent++;
        if (number % 10 === 0) disturb(port, random);
        if (number % 4 === 0) {
          const name = `good ${number}`;
          good.push(name);
          const { status, message } = await client.call(logsPath, requestOf([name]));
          assert.equal(status, '0', message);
          return;
        }
        const bytes = mutate(seeds[random(seeds.length)]!, seeds[random(seeds.length)]!, random);
        // A head that tells the truth lets what is behind it be read.
        if (random(2) === 0 && bytes.length > 5) bytes.writeUInt32BE(bytes.length - 5, 1);
        const { httpStatus, status, message } = await client.call(
          random(3) === 0 ? tracesPath : logsPath,
          bytes,
          { headers: { 'grpc-encoding': random(5) === 0 ? 'br' : 'gzip' }, isFramed: true },
        );
        assert.equal(httpStatus, 200);
        assert.ok(answers.has(status!), `${status}: ${message} to ${bytes.toString('base64')}`);
        if (status !== '0') assert.match(message, /^[a-z\d-]+: ./);
      });
      await Promise.all(calls);
    }
    await eventually(
      'no bytes of finished calls are counted',
      async () => (await service.sumOf('logloom_ingest_pending_bytes')) === 0,
    );
    counted = await service.countedEvents();
  }
  await assertGoodOnes(folder.path, counted, good);
}

test(`${run.inputs} malformed calls of gRPC, seed ${run.seed}: each has its status, the good ones beside them are intact`, (t) =>
  run.rounds(t, inputsOfRound, round));
