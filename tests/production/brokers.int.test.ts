import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../infra/local/start-stack.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { acceptedLines, assertDelivered, assertDrained, type Line } from './assert-exact.ts';
import { Services } from './services.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { Viewer } from './viewer.ts';

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
      const lines = acceptedLines(await sending.stop());
      report(`${lines.length} events acknowledged`);
      const isWarning = (l: Line): boolean => ['warn', 'error', 'fatal'].includes(l.level);
      t.diagnostic(JSON.stringify(await assertDelivered(services, viewer, lines, isWarning)));
      await assertDrained(services);
    } catch (error) {
      t.diagnostic(services.logs);
      throw error;
    }
  },
);
