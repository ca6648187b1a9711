import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { CapturedRequest } from '../testing/capture-requests.ts';
import { among, badOfMix, captureSeeds, goodOfMix, malform, partsOf } from '../testing/fuzz-inputs.ts';
import { FuzzRun } from '../testing/fuzz-run.ts';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { mutate, type Random } from '../testing/mutate.ts';

// FUZZ_INPUTS=1000000 node services/ingest/src/http/fuzz.int.test.ts takes some minutes.
const run = new FuzzRun(10_000, process.env);
/** Each round has a log of its own, which is read to the end. */
const inputsOfRound = 100_000;
const atOnce = 64;

const agent = new Agent({ keepAlive: true, maxSockets: atOnce });

async function post(
  address: string,
  { path, contentType, body }: CapturedRequest,
  encoding = 'identity',
): Promise<{ status: number; body: Buffer }> {
  const headers = { 'content-type': contentType, 'content-encoding': encoding };
  // A request without a response fails the test instead of blocking it.
  const signal = AbortSignal.timeout(120_000);
  const request = httpRequest(address + path, { method: 'POST', agent, headers, signal });
  const responded = new Promise<{ status: number; body: Buffer }>((resolve, fail) => {
    request.on('error', fail);
    request.on('response', (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode!, body }), fail);
    });
  });
  request.end(body);
  return responded;
}

/** Sends bytes that are not HTTP, or that break off. Nobody waits for a response to them; the other requests must get theirs. */
function disturb(address: string, bytes: Buffer, random: Random): void {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.on('error', () => {});
  const head = `POST /ingest HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes.length + random(3)}\r\n\r\n`;
  socket.write(random(2) === 0 ? head : bytes);
  socket.end(bytes, () => socket.destroy());
}

const expected = new Set([200, 201, 202, 204, 400, 413, 415]);

async function round(count: number, random: Random): Promise<Map<string, number>> {
  using folder = temporaryFolder();
  const statuses = new Map<string, number>();
  const named: string[] = [];
  let counted: { accepted: number; rejected: number };
  {
    await using service = await startForTest(folder.path);
    const { address, sumOf } = service;
    const seeds = await captureSeeds(address);
    const parts = partsOf(seeds);
    assert.ok(seeds.length >= 7 && parts.records.length >= 3);
    for (const { status } of await Promise.all(seeds.map((seed) => post(address, seed))))
      assert.ok(status >= 200 && status <= 204, `a seed got ${status}`);

    let sent = 0;
    let number = 0;
    const send = async (request: CapturedRequest, encoding?: string): Promise<void> => {
      const { status, body } = await post(address, request, encoding);
      const text = `${request.path} ${request.contentType} ${status}`;
      assert.ok(expected.has(status), `${text}: ${body.toString()} to ${request.body.toString('base64')}`);
      if (status >= 400) assert.notEqual(body.length, 0, text);
      statuses.set(text, (statuses.get(text) ?? 0) + 1);
    };
    const work = async (): Promise<void> => {
      while (sent < count) {
        if (++number % 100 === 0) disturb(address, mutate(seeds[0]!.body, seeds[1]!.body, random), random);
        if (number % 4 === 0) {
          const name = `good-${number}`;
          sent += badOfMix;
          await send(among(name, parts, random));
          named.push(...Array<string>(goodOfMix).fill(name));
        } else {
          sent++;
          await send(...malform(seeds, random));
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    assert.equal((await fetch(`${address}/health/ready`)).status, 200);
    await service.drain();
    assert.equal(
      await sumOf('logloom_ingest_pending_bytes'),
      0,
      'bytes of finished requests are still counted',
    );
    counted = {
      accepted: await sumOf('logloom_ingest_events_total'),
      rejected: await sumOf('logloom_ingest_rejected_events_total'),
    };
  }
  const events = await readEvents(folder.path);
  for (const event of events) assert.equal(typeof JSON.parse(event.attributes), 'object');
  const deadLetters = await readDeadLetters(folder.path);
  assert.deepEqual({ accepted: events.length, rejected: deadLetters.length }, counted);
  assert.ok(deadLetters.every(({ code, message }) => code !== '' && message !== ''));
  const good = events.filter(({ message }) => message.startsWith('good-')).map(({ message }) => message);
  assert.deepEqual(good.sort(), named.sort());
  return statuses;
}

test(`${run.inputs} malformed inputs, seed ${run.seed}: each gets a response, the good ones beside them are intact`, async (t) => {
  const statuses = new Map<string, number>();
  await run.rounds(t, inputsOfRound, async (count, random) => {
    for (const [text, requests] of await round(count, random))
      statuses.set(text, (statuses.get(text) ?? 0) + requests);
  });
  for (const [text, count] of [...statuses].sort()) t.diagnostic(`${count} requests ${text}`);
  agent.destroy();
});
