import { eventually, whileFrozen } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../infra/local/start-stack.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { acceptedLines, assertDelivered, assertDrained, type Line } from './assert-exact.ts';
import { serviceNames, Services } from './services.ts';
import { SteadyTraffic } from './steady-traffic.ts';
import { Viewer } from './viewer.ts';

const isFull = process.env['LOGLOOM_FULL'] === '1';
const eventsPerSecond = 100;
/** A request is answered or refused within it: a log tries for 30 s, and what waits behind that as long again. */
const answerMs = 90_000;
const singly = isFull ? [[0], [1], [2]] : [[0]];
/** Of three replicas in sync a write needs two. */
const inPairs = isFull
  ? [
      [0, 1],
      [1, 2],
      [0, 2],
    ]
  : [[1, 2]];

/** Sends one line as the numbered event of a producer, which may be repeated; returns the status of the response. */
async function sendNumbered(url: string, sequence: number, line: string): Promise<number> {
  const response = await fetch(`${url}/ingest`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'logloom-producer': 'frozen-brokers',
      'logloom-sequence': String(sequence),
    },
    body: line,
    signal: AbortSignal.timeout(answerMs),
  });
  await response.body?.cancel();
  return response.status;
}

test('brokers frozen under the whole pipeline: acknowledged or refused, nothing lost or doubled, readiness tells, TERM ends it', async (t) => {
  await using stack = await startStack({ only: ['kafka'], brokers: 3 });
  if (stack.missing.kafka !== undefined) return t.skip(stack.missing.kafka);
  await using services = await Services.start(stack, {
    LOG_PARTITIONS: '3',
    LIVE_DRAIN_MS: '1000',
    CORRELATION_IDLE_MS: '5000',
    CORRELATION_MAX_MS: '30000',
    CORRELATION_GRACE_MS: '120000',
  });
  const { brokers } = stack.kafka;
  const names = (chosen: readonly number[]): string => chosen.map((i) => brokers[i]!.name).join(' and ');
  const begin = performance.now();
  const report = (what: string): void =>
    t.diagnostic(`${((performance.now() - begin) / 1000).toFixed(0)} s: ${what}`);
  const pids = new Map(serviceNames.map((name) => [name, services.of(name).pid]));
  const assertRunning = (): void => {
    for (const [name, pid] of pids) assert.equal(services.of(name).pid, pid, `${name} has not ended`);
  };
  try {
    await using viewer = await Viewer.open(services.liveUrl, '*');
    await using sending = new SteadyTraffic(services.ingestUrl, loadTraffic().lines, eventsPerSecond);
    const correlated = async (): Promise<number> => {
      const { consumers } = await services.get<{
        consumers: { group: string; committed: number | null }[];
      }>('/api/status');
      return consumers
        .filter(({ group }) => group === 'correlator')
        .reduce((sum, { committed: offset }) => sum + (offset ?? 0), 0);
    };
    await eventually('events seen', async () => viewer.events.length > 0);

    for (const chosen of singly) {
      await whileFrozen(
        chosen.map((i) => brokers[i]!.pid!),
        async () => {
          // What is underway when it freezes may still come through.
          await sleep(1_000);
          const [acknowledged, seen] = [sending.acknowledged, viewer.events.length];
          await eventually('events acknowledged', async () => sending.acknowledged > acknowledged);
          report(`acknowledged with ${names(chosen)} frozen`);
          await eventually('events seen', async () => viewer.events.length > seen);
          report('seen');
          const position = await correlated();
          await eventually('the correlator gets on', async () => (await correlated()) > position);
          report('correlated');
        },
      );
      assertRunning();
    }
    const numbered: string[] = [];
    for (const [sequence, chosen] of inPairs.entries()) {
      const line = JSON.stringify({
        timestamp: '2023-01-30T00:00:00Z',
        service: 'frozen',
        level: 'info',
        message: `refused at first ${sequence}`,
        traceId: `frozen-${sequence}`,
      });
      await whileFrozen(
        chosen.map((i) => brokers[i]!.pid!),
        async () => {
          // It waits until the log gives up, behind what gives up before it.
          if (isFull) assert.equal(await sendNumbered(services.ingestUrl, sequence, line), 503);
          for (const name of ['ingest', 'correlator'] as const)
            await eventually(`${name} unready, with the reason`, async () => {
              const { status, body } = await services.readiness(name);
              return status === 503 && /Kafka takes no appends|Kafka does not answer/.test(body);
            });
        },
      );
      for (const name of serviceNames)
        await eventually(`${name} ready again`, async () => (await services.readiness(name)).status === 200);
      report(`ready again after ${names(chosen)} were frozen`);
      // A broker may have appended what was refused, once it ran again: the retry is told so, and makes no second event.
      if (isFull) {
        assert.equal(await sendNumbered(services.ingestUrl, sequence, line), 200);
        numbered.push(line);
      }
      assertRunning();
    }
    const acknowledged = sending.acknowledged;
    await eventually('events acknowledged', async () => sending.acknowledged > acknowledged);
    await whileFrozen(
      brokers.map(({ pid }) => pid!),
      async () => {
        await sleep(500);
        const ended = await services.drain();
        report(`all brokers frozen, and TERM: ${ended.join(', ')}`);
        for (const name of serviceNames) {
          const log = readFileSync(services.of(name).logFile, 'utf8');
          assert.ok(
            ended.includes(`${name}: exit code 0`),
            `${ended.join(', ')}; ${name}: ${log.slice(-3000)}`,
          );
          assert.doesNotMatch(log, /not drained/);
        }
      },
    );
    await Promise.all(serviceNames.map((name) => services.of(name).start()));
    const accepted = acceptedLines(await sending.stop());
    report(`${accepted.length} events acknowledged`);
    const lines = [...accepted, ...numbered.map((text) => JSON.parse(text) as Line)];
    t.diagnostic(JSON.stringify(await assertDelivered(services, viewer, lines)));
    await assertDrained(services);
  } catch (error) {
    t.diagnostic(services.logs);
    throw error;
  }
});
