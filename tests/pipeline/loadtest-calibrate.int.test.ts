import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readKnownRuns } from '@logloom/loadtest';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const skip = process.env.LOGLOOM_FULL === '1' ? false : 'takes about a minute: LOGLOOM_FULL=1';

test('a server that stands still is found as what it is, and the run is kept', { skip }, async (t) => {
  using folder = temporaryFolder('calibrate');
  const out = join(folder.path, 'kept');
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [
    ...[main, 'loadtest', 'calibrate', '--only', 'server-paused', '--runs', '1', '--out', out],
  ]);
  // A machine too busy for the generator shows nothing.
  if (/^0 runs/.test(stdout)) return t.skip('the generator was the limit of all three runs');
  assert.deepEqual(readdirSync(out).sort(), ['calibration.json', 'server-paused.json.gz']);
  assert.equal(readKnownRuns(out).length, 1);
  assert.match(stdout, /server-paused +led in 1, right in 1/);
});

test('the figures that ship are shown without a run, and an unknown fault is refused', async () => {
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [main, 'loadtest', 'calibrate', '--show', '--json']);
  const { runs, causes } = JSON.parse(stdout) as {
    runs: number;
    causes: Record<string, { led: number; right: number }>;
  };
  assert.ok(runs > 0);
  for (const { led, right } of Object.values(causes)) assert.ok(right <= led && led <= runs);
  await assert.rejects(
    run(process.execPath, [main, 'loadtest', 'calibrate', '--only', 'bad-luck']),
    /there is no fault bad-luck/,
  );
});
