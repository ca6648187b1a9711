import { loadScenario, runScenario, type RunOptions, type RunResult } from '@logloom/loadtest';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hasGo, Rival, type RivalName } from '../../bench/live/rivals/rival.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const viewers = 10;
const events = 650;
/** Events begin when all watch, so that each viewer has to get all of them. */
const scenarioText = `
viewers:
  stages: [{ to: ${viewers}, for: 500ms }, { for: 6s }]
  mix: [{ watch: all }]
events: { stages: [{ to: 0, for: 2500ms }, { to: 200, for: 500ms }, { for: 3s }] }
`;
const awayMs = 500;

interface Cut {
  lost: number;
  resumed: number;
  exact: number;
  proxy: CuttingProxy;
}

/** Runs the scenario behind a proxy that cuts all viewers once, while events are sent. */
async function runAndCut(
  port: number,
  path: string,
  options: Omit<RunOptions, 'url' | 'token' | 'ingestKey'>,
): Promise<Cut> {
  const folder = temporaryFolder('loadtest-targets');
  const file = join(folder.path, 'cut.yaml');
  writeFileSync(file, scenarioText);
  await using proxy = await CuttingProxy.open(port);
  let quietBytes = Infinity;
  const running = runScenario(
    loadScenario(file),
    {
      url: `http://127.0.0.1:${proxy.port}${path}`,
      token: undefined,
      ingestKey: undefined,
      quietMs: 2_000,
      // What was passed before the first event: handshakes.
      onProgress: ({ atS }) => {
        if (atS <= 2) quietBytes = proxy.bytesPassed;
      },
      ...options,
    },
    new AbortController().signal,
  );
  const cutting = eventually(
    'some events have come',
    () => proxy.bytesPassed > quietBytes + 200_000,
    60_000,
  ).then(() => proxy.cut(awayMs));
  const [{ delivery, ingest, connections }] = await Promise.all([running, cutting]);
  assert.equal(ingest.acknowledged, events);
  // Of the event that is due next when a viewer begins, nobody can tell whether it was sent before.
  assert.equal(delivery.expected, viewers * (events - 1));
  assert.equal(delivery.received + delivery.announced + delivery.lost.count, delivery.expected);
  assert.equal(connections.lost, viewers);
  for (const kind of ['duplicated', 'disordered', 'corrupted', 'unexpected'] as const)
    assert.equal(delivery[kind].count, 0, `${kind}: ${delivery[kind].example?.detail}`);
  return {
    lost: delivery.lost.count,
    resumed: connections.resumed,
    exact: delivery.viewers.exact,
    proxy,
  };
}

async function runRival(name: RivalName): Promise<Cut> {
  await using rival = await Rival.start(name);
  return await runAndCut(rival.port, rival.path, { kind: rival.kind, ingestUrl: rival.publishUrl });
}

/** How many events the proxy did not pass to whom they were due: each viewer has a source address of its own. */
function notPassed(proxy: CuttingProxy): number {
  const byViewer = [...proxy.webSocketMessages().values()].map(
    (messages) =>
      new Set(
        messages.flatMap((text) => Array.from(text.matchAll(/"loadtest":\{[^}]*"n":(\d+)/g), ([, n]) => n)),
      ).size,
  );
  assert.equal(byViewer.length, viewers);
  return byViewer.reduce((total, passed) => total + events - passed, 0);
}

describe('one scenario, all viewers cut off once', { concurrency: true }, () => {
  test('Logloom loses nothing', async () => {
    await using pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '1000' });
    await pipeline.start();
    const { lost, resumed, exact } = await runAndCut(Number(new URL(pipeline.viewersUrl).port), '', {
      ingestUrl: pipeline.ingestUrl,
    });
    assert.deepEqual({ lost, resumed, exact }, { lost: 0, resumed: viewers, exact: viewers });
  });

  test('plain ws loses exactly what was not passed on', () => losesWhatWasNotPassed('ws'));
});

test('logloom loadtest run against a plain ws that a scenario names: events go in by a socket', async () => {
  await using rival = await Rival.start('ws');
  const folder = temporaryFolder('loadtest-targets');
  const file = join(folder.path, 'plain.yaml');
  writeFileSync(
    file,
    `
viewers: { stages: [{ to: 8, for: 1s }, { for: 2s }], mix: [{ watch: service }] }
events: { services: 4, stages: [{ to: 0, for: 1500ms }, { to: 100, for: 500ms }, { for: 1s }] }
objectives: [{ metric: lost, atMost: 0 }, { metric: disordered, atMost: 0 }]
target: { kind: ws, url: '${rival.url}', publishUrl: 'ws://127.0.0.1:${rival.port}/' }
`,
  );
  const { code, stdout, stderr } = await new Promise<{ code: number; stdout: string; stderr: string }>(
    (resolve) => {
      execFile(
        process.execPath,
        [main, 'loadtest', 'run', file, '--json', '--out', folder.path],
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      );
    },
  );
  assert.ok(code === 0 || code === 3, stderr);
  const { target, delivery, ingest, search, generator } = JSON.parse(stdout) as RunResult;
  assert.deepEqual([target.kind, search], ['ws', null]);
  // On a busy machine the generator may be the limit; then nothing is shown.
  assert.ok(code === 0 || generator.limits.length > 0, stdout);
  assert.equal(ingest.acknowledged, 125);
  assert.equal(delivery.viewers.exact, 8);
  assert.deepEqual([delivery.lost.count, delivery.unexpected.count, delivery.disordered.count], [0, 0, 0]);
  // Two viewers of each of four services, but for the first event.
  assert.ok(delivery.expected >= 2 * 120 && delivery.expected <= 2 * 125, `${delivery.expected} expected`);
});

const skip = process.env['LOGLOOM_FULL'] !== '1' && 'takes a minute: LOGLOOM_FULL=1 runs it';
describe('the same with other targets', { skip }, () => {
  test('Socket.IO loses exactly what was not passed on', () => losesWhatWasNotPassed('socket.io'));

  test("Socket.IO's connection state recovery loses nothing", () => losesNothing('socket.io with recovery'));

  test('a plain stream of server-sent events loses what came meanwhile', async () => {
    const { lost, resumed } = await runRival('sse');
    assert.ok(lost > viewers, `${lost} lost`);
    assert.equal(resumed, 0);
  });

  const withoutGo = !hasGo() && 'needs a Go compiler';
  test('the centrifuge library with a history loses nothing', { skip: withoutGo }, () =>
    losesNothing('centrifuge with history'),
  );
  test('without, it loses exactly what was not passed on', { skip: withoutGo }, () =>
    losesWhatWasNotPassed('centrifuge'),
  );
});

async function losesWhatWasNotPassed(name: RivalName): Promise<void> {
  const { lost, resumed, exact, proxy } = await runRival(name);
  assert.ok(lost > viewers, `${lost} lost`);
  assert.equal(lost, notPassed(proxy));
  assert.deepEqual({ resumed, exact }, { resumed: 0, exact: 0 });
}

async function losesNothing(name: RivalName): Promise<void> {
  const { lost, resumed, exact, proxy } = await runRival(name);
  assert.deepEqual({ lost, resumed, exact }, { lost: 0, resumed: viewers, exact: viewers });
  assert.equal(notPassed(proxy), 0);
}
