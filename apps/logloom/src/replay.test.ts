import { SqliteEventLog } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { topics, type Correlation, type CorrelationOptions } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { replay } from './replay.ts';

test('a replay that begins in the middle of the log has the rules that were in force there', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'replay-'));
  const log = new SqliteEventLog(join(folder.path, 'log'));
  await log.createTopics([{ name: topics.events, partitions: 1 }]);
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const append = (...values: Buffer[]): Promise<number[]> =>
    log.append(
      topics.events,
      values.map((value) => ({ partition: 0, key: null, value })),
    );
  const rules = (name: string, options: CorrelationOptions | null = null): Buffer =>
    serde.encode('Rules', { version: name, text: `rules: [{ name: ${name}, when: '*' }]`, options });
  const tick = serde.encode('Tick', { dueAt: 1 });
  await append(rules('first'));
  await append(rules('second'));
  // More than what is read at once.
  await append(...Array.from({ length: 5000 }, () => tick));
  await sleep(5);
  const fromMs = Date.now();
  await append(
    serde.encode('LogEvent', {
      source: { kind: 'http', topic: 'p', partition: 0, offset: 0, index: 0 },
      timestamp: 1,
      receivedAt: 0,
      level: 'info',
      service: 'web',
      host: null,
      message: 'm',
      correlationId: 'a',
      correlationKind: 'traceId',
      traceId: 'a',
      spanId: null,
      attributes: '{}',
    }),
  );
  const options = { idleMs: 1, maxMs: 1000, graceMs: 1, maxEvents: 100, maxGroups: 100, memoryBytes: 1e9 };
  const made = async (given: null | undefined, from: number | undefined): Promise<string[][]> => {
    const documents: Correlation[] = [];
    const { signal } = new AbortController();
    const view = { put: async (of: readonly Correlation[]) => void documents.push(...of) };
    await replay(
      {
        log,
        serde,
        options: undefined,
        fallback: options,
        rules: given,
        fromMs: from,
        toMs: undefined,
        signal,
      },
      view,
    );
    return documents.map((document) => document.rules);
  };
  try {
    assert.deepEqual(await made(undefined, undefined), [['second']]);
    assert.deepEqual(await made(undefined, fromMs), [['second']]);
    assert.deepEqual(await made(null, fromMs), [[]]);
  } finally {
    await log.close();
  }
});
