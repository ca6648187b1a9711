import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../infra/local/start-stack.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { assertExact, assertSeen, untilStored, type Line } from './assert-exact.ts';
import { Services } from './services.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { Viewer } from './viewer.ts';
import { readLog } from './views.ts';

const eventsPerSecond = 500;
const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes long; LOGLOOM_FULL=1 runs it';

test(
  'each of three brokers stopped by TERM and by KILL under the whole pipeline: every event in every view, once',
  { skip },
  async (t) => {
    await using stack = await startStack({ without: ['zipkin'], brokers: 3 });
    const missing = Object.values(stack.missing)[0];
    if (missing !== undefined) return t.skip(missing);
    await using services = await Services.start(stack, {
      CORRELATION_IDLE_MS: '30000',
      CORRELATION_MAX_MS: '120000',
      CORRELATION_GRACE_MS: '600000',
      LIVE_BUFFER_BYTES: String(64 * 2 ** 20),
    });
    await using viewer = await Viewer.open(services.liveUrl, 'level:>=warn');
    const sending = new SteadyTraffic(services.ingestUrl, loadTraffic().lines, eventsPerSecond);
    const begin = performance.now();
    const report = (what: string): void =>
      t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s: ${what}`);
    try {
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        for (const broker of stack.kafka.brokers) {
          await sleep(1_000 + Math.random() * 4_000);
          await broker.kill(signal);
          await sleep(1_000 + Math.random() * 2_000);
          await broker.start();
          report(`${broker.name} back after ${signal}`);
        }
      }
      const { lines: texts, result } = await sending.stop();
      assert.deepEqual([result.accepted, result.rejected], [texts.length, 0]);
      report(`${texts.length} events acknowledged`);
      const lines = texts.map((text) => JSON.parse(text) as Line);
      await untilStored(services, lines.length);
      report('stored');
      const logged = await readLog(services);
      const summary = await assertExact(services, logged, lines);
      t.diagnostic(JSON.stringify(summary));
      await assertSeen(viewer, logged, lines, (l) => ['warn', 'error', 'fatal'].includes(l.level));
      for (const ended of await services.drain()) assert.match(ended, /: exit code 0$/);
    } catch (error) {
      t.diagnostic(services.logs);
      throw error;
    }
  },
);
