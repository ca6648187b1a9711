import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../infra/local/start-stack.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { assertExact, assertSeen, untilStored, type Line } from './assert-exact.ts';
import { serviceNames, Services, type ServiceName } from './services.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { Viewer } from './viewer.ts';
import { readLog } from './views.ts';

const isFull = process.env['LOGLOOM_FULL'] === '1';
const killsEach = isFull ? 10 : 2;
const eventsPerSecond = 500;

const stack = await startStack({ without: ['zipkin'] });
after(() => stack.stop());
const skip = Object.values(stack.missing)[0] ?? false;

test(
  'services and engines killed under load: every acknowledged event in every view, once',
  { skip },
  async (t) => {
    const traffic = loadTraffic();
    await using services = await Services.start(stack, {
      CORRELATION_IDLE_MS: '15000',
      CORRELATION_MAX_MS: '120000',
      CORRELATION_GRACE_MS: '600000',
      LIVE_BUFFER_BYTES: String(64 * 2 ** 20),
    });
    await using viewer = await Viewer.open(services.liveUrl, 'level:>=warn');
    await using everything = await Viewer.open(services.liveUrl, '');
    const sending = new SteadyTraffic(services.ingestUrl, traffic.lines, eventsPerSecond);
    const begin = performance.now();
    const report = (what: string): void =>
      t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s: ${what}`);
    try {
      await aWhile();
      const killAndRestart = async (name: ServiceName): Promise<void> => {
        for (let kill = 1; kill <= killsEach; kill++) {
          // A member that was killed is missed after ten seconds: kills have to strike before that and after.
          await sleep(1_000 + Math.random() * 13_000);
          await services.of(name).kill('SIGKILL');
          await services.of(name).start();
          report(`${name} back after kill ${kill}`);
        }
      };
      await Promise.all(serviceNames.map(killAndRestart));
      await stack.elasticsearch.kill('SIGKILL');
      await aWhile();
      await stack.elasticsearch.start();
      report('Elasticsearch killed and restarted');

      // It keeps its data in memory, so it can't be killed: this shows a server that hangs, not one that loses its process.
      const mongodb = stack.mongodb.pid!;
      process.kill(mongodb, 'SIGSTOP');
      try {
        await sleep(5_000);
      } finally {
        process.kill(mongodb, 'SIGCONT');
      }
      report('the MongoDB stand-in paused for 5 s');
      await stack.redis.kill('SIGKILL');
      await stack.redis.start();
      report('Redis killed and restarted');

      const [correlator, indexer] = [await services.another('correlator'), await services.another('indexer')];
      report('a second correlator and a second indexer');
      await aWhile();
      await services.of('correlator').kill('SIGKILL');
      await indexer.kill('SIGKILL');
      await sleep(12_000);
      await services.of('correlator').start();
      await correlator.kill('SIGTERM');
      report('one of each killed, the first correlator back, the second drained');
      await aWhile();

      const { lines: texts, result } = await sending.stop();
      assert.deepEqual([result.accepted, result.rejected], [texts.length, 0]);
      report(`${texts.length} events acknowledged`);
      const lines = texts.map((text) => JSON.parse(text) as Line);
      await untilStored(services, lines.length);
      report('stored');
      const logged = await readLog(services);
      const summary = await assertExact(services, logged, lines);
      t.diagnostic(JSON.stringify(summary));
      assert.equal(summary.documents, summary.requests);
      const isWarning = (l: Line): boolean => ['warn', 'error', 'fatal'].includes(l.level);
      await assertSeen(viewer, logged, lines, isWarning);
      await assertSeen(everything, logged, lines, () => true);
      t.diagnostic(`viewers connected ${viewer.connections} and ${everything.connections} times`);
      for (const ended of await services.drain()) assert.match(ended, /: exit code 0$/);
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
