import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sampleRun } from '../verdict/testing/sample-run.ts';
import { readRuns } from './history.ts';

test('runs are read in their order, what is none is named, and a run that did not end left out', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'loadtest-history-'));
  t.after(() => rm(folder, { recursive: true }));
  const kept = (run: string, startedAt: string) => JSON.stringify({ ...sampleRun([]), run, startedAt });
  await mkdir(join(folder, 'a'));
  await mkdir(join(folder, 'unfinished'));
  await writeFile(join(folder, 'a', 'result.json'), kept('later', '2026-11-28T10:00:00+01:00'));
  await writeFile(join(folder, 'b.json'), kept('earlier', '2026-11-28T08:30:00Z'));
  await writeFile(join(folder, 'future.json'), JSON.stringify({ ...sampleRun([]), format: 2 }));
  await writeFile(join(folder, 'torn.json'), kept('torn', '').slice(0, 50));
  await writeFile(join(folder, 'notes.txt'), 'not a run');
  const { runs, refused } = await readRuns(folder);
  assert.deepEqual(
    runs.map(({ run }) => run),
    ['earlier', 'later'],
  );
  assert.deepEqual(refused.map(({ path }) => path.split('/').at(-1)).toSorted(), [
    'future.json',
    'torn.json',
  ]);
  assert.match(refused.find(({ path }) => path.endsWith('future.json'))!.reason, /format 1/);
});
