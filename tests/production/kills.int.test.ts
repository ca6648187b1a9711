import { eventually, temporaryFolder, whileFrozen } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../infra/local/start-stack.ts';
import { rulesText } from '../pipeline/ruled-requests.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { WebhookReceiver } from '../pipeline/webhook-receiver.ts';
import { assertDrained, assertExact, assertSeen, untilStored, type Line } from './assert-exact.ts';
import { assertRuled } from './assert-ruled.ts';
import { RuledTraffic } from './ruled-traffic.ts';
import { serviceNames, Services, type ServiceName } from './services.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { Viewer } from './viewer.ts';
import { readLog } from './views.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes long; LOGLOOM_FULL=1 runs it';
const killsEach = 10;
const eventsPerSecond = 300;
/** A killed member's partitions go to the others after ten seconds. */
const missedMs = 12_000;

test(
  'services and engines killed under load, with rules and late events: every acknowledged event in every view, once, every request judged right, every alert once',
  { skip },
  async (t) => {
    await using stack = await startStack({ without: ['zipkin'] });
    const missing = Object.values(stack.missing)[0];
    if (missing !== undefined) return t.skip(missing);
    const traffic = loadTraffic();
    using folder = temporaryFolder('rules');
    const rulesFile = join(folder.path, 'rules.yaml');
    using hook = await WebhookReceiver.open();
    writeFileSync(rulesFile, rulesText(hook.url));
    await using services = await Services.start(stack, {
      CORRELATION_RULES: rulesFile,
      // Shorter than late events are late; the grace time outlasts the test, so that each request has one document.
      CORRELATION_IDLE_MS: '4000',
      CORRELATION_MAX_MS: '120000',
      CORRELATION_GRACE_MS: '600000',
      LIVE_BUFFER_BYTES: String(64 * 2 ** 20),
    });
    await using viewer = await Viewer.open(services.liveUrl, 'level:>=warn');
    await using everything = await Viewer.open(services.liveUrl, '');
    await eventually('the rules in force everywhere', () => services.haveRules());
    await using ruled = new RuledTraffic(services.ingestUrl);
    await using sending = new SteadyTraffic(services.ingestUrl, traffic.lines, eventsPerSecond);
    const begin = performance.now();
    const report = (what: string): void =>
      t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s: ${what}`);
    try {
      await aWhile();
      const killAndRestart = async (name: ServiceName): Promise<void> => {
        for (let kill = 1; kill <= killsEach; kill++) {
          // Kills have to strike before a killed member is missed, and after.
          await sleep(1_000 + Math.random() * 13_000);
          await services.of(name).kill('SIGKILL');
          await services.of(name).start();
          report(`${name} back after kill ${kill}`);
        }
      };
      await Promise.all(serviceNames.map(killAndRestart));
      writeFileSync(rulesFile, rulesText(hook.url, { withSecond: true }));
      report('another rule in the file');
      // Elasticsearch takes its time to come back; all that does not need it continues meanwhile.
      const searchAndIndexer = async (): Promise<void> => {
        await stack.elasticsearch.kill('SIGKILL');
        await aWhile();
        await stack.elasticsearch.start();
        report('Elasticsearch killed and restarted');
        const second = await services.another('indexer');
        report('a second indexer');
        await aWhile();
        await second.kill('SIGKILL');
        await sleep(missedMs);
        report('the second indexer killed, its partitions back');
      };
      const theOthers = async (): Promise<void> => {
        await stack.redis.kill('SIGKILL');
        await stack.redis.start();
        report('Redis killed and restarted');
        // The stand-in keeps its data in memory, so it can't be killed: this shows a server that hangs, not one that loses its process.
        await whileFrozen([stack.mongodb.pid!], () => sleep(5_000));
        report('the MongoDB stand-in paused for 5 s');
        const second = await services.another('correlator');
        report('a second correlator');
        await aWhile();
        await services.of('correlator').kill('SIGKILL');
        await sleep(missedMs);
        await services.of('correlator').start();
        await second.kill('SIGTERM');
        report('the first correlator killed and back, the second drained');
      };
      await Promise.all([searchAndIndexer(), theOthers()]);
      await aWhile();

      const [{ lines: texts, result }, late] = await Promise.all([sending.stop(), ruled.stop()]);
      assert.deepEqual([result.accepted, result.rejected], [texts.length, 0]);
      assert.deepEqual([late.result.accepted, late.result.rejected], [late.lines.length, 0]);
      const lines: Line[] = [...texts.map((text) => JSON.parse(text) as Line), ...late.lines];
      report(`${lines.length} events acknowledged`);
      await untilStored(services, lines.length);
      report('stored');
      const logged = await readLog(services);
      const summary = await assertExact(services, logged, lines);
      t.diagnostic(JSON.stringify(summary));
      assert.equal(summary.documents, summary.requests);
      t.diagnostic(JSON.stringify(await assertRuled(services, ruled.requests, hook)));
      const isWarning = (l: Line): boolean => ['warn', 'error', 'fatal'].includes(l.level);
      await assertSeen(viewer, logged, lines, isWarning);
      await assertSeen(everything, logged, lines, () => true);
      t.diagnostic(`viewers connected ${viewer.connections} and ${everything.connections} times`);
      await assertDrained(services);
    } catch (error) {
      t.diagnostic(services.logs);
      throw error;
    }
  },
);

/** A moment for the load to reach what was just restarted; random, so that kills strike at any point of its start and work. */
async function aWhile(): Promise<void> {
  await sleep(1_000 + Math.random() * 3_000);
}
