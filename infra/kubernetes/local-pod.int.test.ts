import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { startStack } from '../local/start-stack.ts';
import { plainFolder } from './plain-manifests.ts';
import { LocalPod } from './testing/local-pod.ts';
import { podOf, readManifests, workloads, type PodSpec } from './testing/manifest.ts';

/** The pod of a component, as its manifest has it. */
function specOf(file: string, component: string): PodSpec {
  const manifest = workloads(readManifests(readFileSync(join(plainFolder, file), 'utf8'))).find(
    ({ metadata }) => metadata.labels!['app.kubernetes.io/component'] === component,
  );
  return podOf(manifest!).spec;
}

function subfolder(folder: string, name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

/** Connects a viewer, and resolves with what it is told when it is sent away. */
async function nextGoodbye(url: string): Promise<{ reason: string }> {
  const viewer = new WebSocket(`${url.replace('http', 'ws')}/live`, 'logloom.v1');
  for await (const [data] of on(viewer, 'message')) {
    const message = JSON.parse((data as Buffer).toString()) as { type: string; reason: string };
    if (message.type === 'goodbye') return message;
  }
  throw new Error('it was told nothing');
}

const key = 'a key of nobody';
const keys = (sha256: string): string => JSON.stringify({ keys: [{ name: 'test', sha256 }] });

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex');
}

test('the pod of the single mode starts, is probed, serves while it is being stopped, and drains in its time', async (t) => {
  const folder = temporaryFolder('pod').path;
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'keys.yaml'), keys(await sha256(key)));
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [] }));
  await using pod = await LocalPod.start(specOf('single.yaml', 'single'), {
    mounts: { '/etc/logloom/keys': folder },
    writable: { '/data': subfolder(folder, 'data') },
    tmp: subfolder(folder, 'tmp'),
    // The identity provider is elsewhere.
    settings: { LIVE_AUTH_JWKS: join(folder, 'jwks.json') },
  });
  await pod.untilReady();
  assert.equal(await pod.probe('livenessProbe'), 200);
  assert.match(await (await fetch(`${pod.url('metrics')}/metrics`)).text(), /^logloom_live_viewers/m);
  assert.equal((await fetch(`${pod.url('viewers')}/metrics`)).status, 404);

  const send = (): Promise<Response> =>
    fetch(`${pod.url('ingest')}/ingest`, {
      method: 'POST',
      body: '{"message":"from a pod"}',
      headers: { 'content-type': 'application/x-ndjson', 'x-api-key': key },
    });
  assert.equal((await send()).status, 200);
  const ending = await pod.stop(async () => {
    assert.equal(await pod.probe('readinessProbe'), 200);
    assert.equal((await send()).status, 200);
    // No token of this key set exists.
    const viewer = new WebSocket(`${pod.url('viewers').replace('http', 'ws')}/live`, 'logloom.v1');
    const [, response] = (await once(viewer, 'unexpected-response')) as [unknown, { statusCode: number }];
    viewer.on('error', () => {});
    viewer.terminate();
    assert.equal(response.statusCode, 401);
  });
  t.diagnostic(`ended after ${ending.seconds.toFixed(1)} s`);
  assert.equal(ending.code, 0, pod.errors);
});

test(
  'the pods of the services and of the canary do the same on the engines',
  { skip: process.env['LOGLOOM_FULL'] === '1' ? false : 'starts Kafka and Redis: LOGLOOM_FULL=1 runs it' },
  async (t) => {
    const stack = await startStack({ only: ['kafka', 'redis', 'mongodb', 'elasticsearch'] });
    t.after(() => stack.stop());
    for (const reason of Object.values(stack.missing)) return t.skip(reason);
    const folder = temporaryFolder('pods').path;
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'keys.yaml'), keys(await sha256(key)));
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [] }));
    for (const component of ['ingest', 'correlator', 'indexer', 'fanout', 'canary'])
      await t.test(component, async (t) => {
        await using pod = await LocalPod.start(specOf('services-canary.yaml', component), {
          mounts: { '/etc/logloom/keys': folder },
          // Only the indexer's manifest mounts it.
          writable: { '/data': subfolder(folder, `${component}-data`) },
          tmp: subfolder(folder, component),
          settings: {
            ...stack.env,
            LIVE_AUTH_JWKS: join(folder, 'jwks.json'),
            SCHEMA_REGISTRY_URL: undefined,
            CURSOR_KEY: 'x'.repeat(32),
            CANARY_SECRET: 'y'.repeat(32),
            // Its preStop drains; with tokens it would need an operator's.
            ...(component === 'fanout' ? { LIVE_AUTH_JWKS: undefined, LIVE_ALLOW_NO_AUTH: 'true' } : {}),
          },
        });
        await pod.untilReady();
        assert.equal(await pod.probe('livenessProbe'), 200);
        const goodbye = component === 'fanout' ? nextGoodbye(pod.url('live')) : undefined;
        const ending = await pod.stop(async () => assert.equal(await pod.probe('readinessProbe'), 200));
        // By the drain: TERM says "shutdown".
        if (goodbye !== undefined) assert.equal((await goodbye).reason, 'restart');
        t.diagnostic(`ended after ${ending.seconds.toFixed(1)} s`);
        assert.equal(ending.code, 0, pod.errors);
      });
  },
);
