import { connectLog } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { parseSettings } from './settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCorrelator } from './run-correlator.ts';

test('a correlator with rules is ready once they are the first record of each partition; a restart writes no more', async () => {
  using folder = temporaryFolder('ready');
  const file = join(folder.path, 'rules.yaml');
  writeFileSync(file, 'rules: [{ name: all, when: "*" }]');
  const settings = parseSettings({ LOGLOOM_DATA: folder.path, CORRELATION_RULES: file });
  await using connection = await connectLog(settings);
  const { log, serde } = connection;
  for (let start = 0; start < 2; start++) {
    const stop = new AbortController();
    const telemetry = createTelemetry('correlator', 'error');
    let ends: number[] | undefined;
    await new Promise<void>((resolve, reject) => {
      const onReady = (): void => {
        log.endOffsets(topics.events).then((offsets) => {
          ends = offsets;
          stop.abort();
        }, reject);
      };
      runCorrelator({ settings, telemetry, signal: stop.signal, onReady }).then(resolve, reject);
    });
    assert.deepEqual(ends, [1, 1, 1, 1]);
    for (let partition = 0; partition < 4; partition++) {
      const [record] = await log.read(topics.events, partition, 0, 1);
      await serde.load([record!.value]);
      assert.equal(serde.decode(record!.value).name, 'Rules');
    }
  }
});
