import { temporaryFolder } from '@logloom/testing';
import type { RunResult } from '@logloom/loadtest';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startStack } from '../../infra/local/start-stack.ts';
import { Services } from './services.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes long; LOGLOOM_FULL=1 runs it';
const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const scenario = `
viewers:
  stages: [{ to: 20, for: 2s }, { for: 12s }]
  mix: [{ watch: all, from: start }, { watch: service, encoding: avro }, { watch: errors }]
  churn: { share: 0.1, every: 1s }
events: { receiver: [kafka, json], errorShare: 0.1, stages: [{ to: 200, for: 2s }, { for: 8s }] }
objectives: [{ metric: lost, atMost: 0 }]
`;

test(
  'events that a load test produces to Kafka come to viewers and into the search once',
  { skip },
  async (t) => {
    await using stack = await startStack();
    const missing = Object.values(stack.missing)[0];
    if (missing !== undefined) return t.skip(missing);
    await using services = await Services.start(stack, { CORRELATION_IDLE_MS: '1000' });
    using folder = temporaryFolder('loadtest-kafka');
    const file = join(folder.path, 'kafka.yaml');
    writeFileSync(file, scenario);
    const args = [main, 'loadtest', 'run', file, '--out', join(folder.path, 'out'), '--report', 'json'];
    args.push('--url', services.liveUrl, '--ingest-url', services.ingestUrl, '--search-url', services.apiUrl);
    const text = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        args,
        { env: { ...process.env, ...services.env }, cwd: folder.path },
        (_error, stdout, stderr) => resolve(stdout + stderr),
      );
    });
    const [made] = readdirSync(join(folder.path, 'out'));
    assert.ok(made !== undefined, text);
    const path = join(folder.path, 'out', made, 'result.json');
    const { delivery, ingest, search, target } = JSON.parse(readFileSync(path, 'utf8')) as RunResult;
    assert.equal(ingest.acknowledged, 1_800, text);
    assert.ok(ingest.requestsByStatus['acknowledged']! > 0 && ingest.requestsByStatus['200']! > 0, text);
    assert.equal(delivery.received, delivery.expected, text);
    for (const kind of ['lost', 'duplicated', 'disordered', 'corrupted', 'unexpected'] as const)
      assert.equal(delivery[kind].count, 0, `${kind}: ${text}`);
    assert.deepEqual([search?.found, search?.duplicated, search?.requests.broken], [1_800, 0, 0], text);
    assert.equal(target.isHidden, false);
  },
);
