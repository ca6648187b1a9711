import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Pipeline } from '../../../tests/pipeline/pipeline.ts';
import { smokeTest, type SmokeTarget } from './smoke-test.ts';

let pipeline: Pipeline;
let target: SmokeTarget;

before(async () => {
  pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '300' });
  await pipeline.start();
  const { ingestUrl, viewersUrl } = pipeline;
  target = { ingestUrl, apiUrl: viewersUrl, liveUrl: viewersUrl, key: undefined, token: undefined };
});

after(() => pipeline[Symbol.asyncDispose]());

test('every partition gets marked events, and each is found once in search, requests and live', async () => {
  const { run, events, requests, partitions } = await smokeTest(target, AbortSignal.timeout(240_000));
  assert.equal(events, 3 * requests);
  const found = await fetch(`${target.apiUrl}/api/search?limit=1000&q=attributes.smoke.run:"${run}"`);
  const body = (await found.json()) as { events: { partition: number }[] };
  assert.equal(body.events.length, events);
  assert.equal(new Set(body.events.map(({ partition }) => partition)).size, partitions);
});

test('what is broken is named: senders that are refused, a live tier that is away', async () => {
  const fails = (broken: Partial<SmokeTarget>, ms: number): Promise<unknown> =>
    smokeTest({ ...target, ...broken }, AbortSignal.timeout(ms)).then(
      () => 'it passed',
      (error: Error) => error.message,
    );
  // The viewers' port takes no events.
  assert.match(String(await fails({ ingestUrl: target.apiUrl }, 20_000)), /refused: .*\(not-found\)/);
  assert.match(
    String(await fails({ liveUrl: 'http://127.0.0.1:1' }, 1_000)),
    /smoke test \w+: still waiting for the live subscription/,
  );
});
