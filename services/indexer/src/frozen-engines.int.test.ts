import { connectLog, type HealthCheck } from '@logloom/runtime';
import '@logloom/runtime/testing/hold-contract';
import { topics, type LogEvent } from '@logloom/schemas';
import { parseSettings } from './settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { freeze, temporaryFolder, unfreeze } from '@logloom/testing';
import fastify from 'fastify';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../infra/local/start-stack.ts';
import { connectApi } from './api/connect-api.ts';
import { runIndexer } from './run-indexer.ts';

const stack = await startStack({ only: ['elasticsearch', 'mongodb', 'redis'] });
const skip = Object.values(stack.missing)[0] ?? false;
const folder = temporaryFolder('frozen').path;

/** What of the API needs the engine, and how it says that it gives no answer. */
const engines = [
  { name: 'elasticsearch', path: '/api/search?q=level:info', code: 'store-unavailable', part: 'search' },
  { name: 'mongodb', path: undefined, code: 'archive-unavailable', part: 'archive' },
  { name: 'redis', path: '/api/saved-filters', code: 'jobs-unavailable', part: undefined },
] as const;

interface Status {
  counts: Record<string, number | null>;
  unavailable: { part: string; code: string }[];
}

test(
  'while an engine is frozen the API says so, readiness too, TERM ends the indexer; afterwards every event is in both stores once',
  { skip, timeout: 240_000 },
  async () => {
    after(async () => {
      await stack.stop();
      rmSync(folder, { recursive: true });
    });
    const settings = parseSettings({ ...stack.env, LOGLOOM_DATA: folder, LOG_PARTITIONS: '1' });
    await using connection = await connectLog(settings);
    const { log, serde } = connection;
    let written = 0;
    const write = async (): Promise<void> => {
      const value = serde.encode('LogEvent', logEvent(written++));
      await log.append(topics.events, [{ partition: 0, key: null, value }]);
    };
    await using app = fastify();
    await connectApi(app, settings, (error) => assert.fail(String(error)));
    const status = async (): Promise<Status> => (await app.inject('/api/status')).json<Status>();
    const untilStored = async (): Promise<void> => {
      for (;;) {
        const { counts } = await status();
        if (counts['events'] === written && counts['archived'] === written) return;
        await sleep(100);
      }
    };

    for (const { name, path, code, part } of engines) {
      const checks = new Set<HealthCheck>();
      let stop = new AbortController();
      let running = runIndexer({
        settings,
        telemetry: createTelemetry('indexer', 'fatal'),
        checks,
        signal: stop.signal,
        onReady: () => {},
      });
      running.catch(() => {});
      await write();
      await untilStored();
      const { pid } = stack[name];
      try {
        await freeze(pid!);
        await write();
        if (path !== undefined) {
          const answers = await Promise.all([app.inject(path), app.inject(path)]);
          for (const { statusCode, body } of [...answers, await app.inject(path)])
            assert.deepEqual([statusCode, /"code":"([^"]*)"/.exec(body)?.[1]], [503, code], body);
        }
        const { counts, unavailable } = await status();
        if (part !== undefined) {
          assert.deepEqual(
            unavailable.map((found) => [found.part, found.code]),
            [[part, code]],
          );
          assert.equal(
            counts[part === 'search' ? 'archived' : 'events'],
            written - 1 + Number(part === 'search'),
          );
          while ([...checks].every((check) => check() === undefined)) await sleep(50);
        }
        stop.abort();
        await running.catch((error: unknown) => {
          // What was not stored is given again at the next start.
          assert.equal((error as { retriable?: boolean }).retriable, true, String(error));
        });
      } finally {
        unfreeze(pid!);
      }
      stop = new AbortController();
      running = runIndexer({
        settings,
        telemetry: createTelemetry('indexer', 'fatal'),
        signal: stop.signal,
        onReady: () => {},
      });
      running.catch(() => {});
      await untilStored();
      if (path !== undefined) assert.equal((await app.inject(path)).statusCode, 200);
      stop.abort();
      await running;
    }
  },
);

function logEvent(i: number): LogEvent {
  return {
    source: { kind: 'http', topic: 'p', partition: 0, offset: i, index: 0 },
    timestamp: Date.now() * 1000,
    receivedAt: Date.now(),
    level: 'info',
    service: 'shop',
    host: null,
    message: `message ${i}`,
    correlationId: null,
    correlationKind: null,
    traceId: null,
    spanId: null,
    attributes: '{}',
  };
}
