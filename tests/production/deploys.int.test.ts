import { createHash } from 'node:crypto';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { whyNoNginx } from '../../infra/deploy/testing/plain-nginx.ts';
import { requestOf, smokeService } from '../../infra/deploy/smoke/smoke-event.ts';
import { startStack } from '../../infra/local/start-stack.ts';
import { assertExact, untilStored, type Line } from './assert-exact.ts';
import { Crowd } from './crowd/crowd.ts';
import { numberedLines } from './crowd/numbered-traffic.ts';
import { DeployedServices } from './deployed-services.ts';
import type { DeployRun } from './run-deploy.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { readLog, type LoggedEvent } from './views.ts';

/** What two cores index, with the engines, two releases and the viewers on them; a smoke test waits for all that came before it. */
const eventsPerSecond = Number(process.env['DEPLOY_EVENTS_PER_SECOND'] ?? 300);
const viewers = 2_000;
/** A viewer watches one of so many shares of the events: on one machine, the viewers' own work would otherwise be most of the load. */
const shares = 1_000;
/** More than are sent. */
const lineCount = 1_000_000;

const skip =
  process.env['LOGLOOM_FULL'] === '1' ? (whyNoNginx ?? false) : 'takes long; LOGLOOM_FULL=1 runs it';

test(
  'all services replaced under load, rolling and blue-green, and two broken releases rolled back: every acknowledged event in every view, once',
  { skip },
  async (t) => {
    await using stack = await startStack({ without: ['zipkin'], throughput: true });
    const missing = Object.values(stack.missing)[0];
    if (missing !== undefined) return t.skip(missing);
    await using services = await DeployedServices.create(
      stack,
      { LIVE_BUFFER_BYTES: String(8 * 2 ** 20), CORRELATION_GRACE_MS: '600000' },
      { readySeconds: 40, smokeSeconds: 300, drainSeconds: 30, stopSeconds: 60 },
    );
    const begin = performance.now();
    const report = (what: string): void =>
      t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s: ${what}`);
    const runs: DeployRun[] = [];
    const deploy = async (kind: 'rolling' | 'blue-green', code: number, what: string): Promise<void> => {
      report(`${kind}: ${what}`);
      const run = await services.deploy(kind, (line) => t.diagnostic(line));
      assert.equal(run.code, code, what);
      runs.push(run);
    };
    try {
      await deploy('blue-green', 0, 'the first release');
      const { ingestUrl, viewersUrl } = services.nginx.public;
      await using crowd = await Crowd.open(viewersUrl, viewers, shares);
      const lines = numberedLines(lineCount, shares);
      const startedAt = performance.now();
      await using sending = new SteadyTraffic(ingestUrl, lines, eventsPerSecond);
      report(`${viewers} viewers, each of one of ${shares} shares of ${eventsPerSecond} events/s`);
      await sleep(5_000);

      await deploy('rolling', 0, 'blue to green');
      assert.deepEqual(Object.values(services.exitCodes('blue')), [0, 0, 0, 0]);
      await deploy('blue-green', 0, 'green to blue');
      assert.deepEqual(Object.values(services.exitCodes('green')), [0, 0, 0, 0]);

      services.configure('green', 'correlator', { KAFKA_BROKERS: '127.0.0.1:1' });
      await deploy('blue-green', 3, 'a release whose correlator is never ready');
      services.configure('green', 'correlator');
      const keys = join(services.releases.path, 'keys.json');
      const sha256 = createHash('sha256').update('a key that the deploy does not have').digest('hex');
      writeFileSync(keys, JSON.stringify({ keys: [{ name: 'unknown', sha256 }] }));
      services.configure('green', 'ingest', { INGEST_KEYS: keys });
      await deploy('blue-green', 3, 'a release whose ingest refuses senders');
      assert.deepEqual(Object.values(services.exitCodes('blue')), Array(4).fill(undefined), 'blue serves');

      const sentFor = (performance.now() - startedAt) / 1000;
      const { lines: texts, result } = await sending.stop();
      assert.deepEqual([result.accepted, result.rejected], [texts.length, 0]);
      assert.ok(texts.length < lineCount);
      report(`${texts.length} events acknowledged, ${Math.round(texts.length / sentFor)}/s`);

      const whole = {
        env: services.env,
        get: <T>(path: string) => services.get<T>(path),
        isIdle: () => services.isIdle('blue'),
      };
      await untilStored(whole, texts.length);
      report('stored');
      const logged = await readLog(whole);
      const sent = texts.map((text) => JSON.parse(text) as Line);
      t.diagnostic(
        JSON.stringify(await assertExact(whole, logged, [...sent, ...smokeLines(logged.events, runs)])),
      );

      const findings = await crowd.findings(texts.length);
      t.diagnostic(JSON.stringify(findings));
      t.diagnostic(
        `a viewer was without a subscription for ${Math.round(findings.longestPauseMs)} ms at most`,
      );
      assert.deepEqual(
        [findings.viewers, findings.missing, findings.duplicates, findings.complaints],
        [viewers, 0, 0, []],
      );
      // All of them were moved by both deploys.
      assert.ok(findings.connections >= 3 * viewers);
    } catch (error) {
      t.diagnostic(services.logs);
      throw error;
    }
  },
);

/** The marked events of the deploys as the log has them: those of each run that passed are there, each once. */
function smokeLines(events: readonly LoggedEvent[], runs: readonly DeployRun[]): Line[] {
  const pattern = new RegExp(`^(\\S+) ${smokeService} (smoke event (\\d+) of (\\w+))$`);
  const numbers = new Map<string, number[]>();
  const lines = events.flatMap(({ content }): Line[] => {
    const [, timestamp, message, n, run] = pattern.exec(content) ?? [];
    if (timestamp === undefined) return [];
    numbers.set(run!, [...(numbers.get(run!) ?? []), Number(n)]);
    const traceId = requestOf(run!, Number(n));
    return [{ timestamp, service: smokeService, level: 'info', message: message!, traceId }];
  });
  for (const { run, events: count } of runs.flatMap(({ smoked }) => smoked))
    assert.deepEqual(
      numbers.get(run)?.sort((a, b) => a - b),
      Array.from({ length: count }, (_, n) => n),
      `the smoke test ${run}`,
    );
  return lines;
}
