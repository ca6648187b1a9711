import { freePort, recordedLines, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from '../pipeline/pipeline.ts';
import { demoLines } from '../pipeline/traffic.ts';
import { checkOut, OldRelease, whyMissing } from './old-release.ts';

/** The format before checksums, marks, places as ids and the window of duplicates. Nothing was released before this one. */
const commit = '2d10dff';
const missing = whyMissing(commit);
const skip = process.env['LOGLOOM_FULL'] === '1' ? (missing ?? false) : 'set LOGLOOM_FULL=1';
const linesOfOld = 2000;

interface Line {
  traceId?: string;
  trace_id?: string;
}

/** Real lines where they are at hand, made-up ones for the rest. */
function lines(count: number): string[] {
  const real = recordedLines(count);
  return real.length >= count ? real : [...real, ...demoLines(count)].slice(0, count);
}

/** How many events each request has. */
function requestsOf(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const { traceId, trace_id: other } = JSON.parse(text) as Line;
    const id = traceId ?? other;
    if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

for (const ending of ['SIGTERM', 'SIGKILL'] as const)
  test(
    `a data folder of commit ${commit}, left by ${ending}: the present code has each event and request of it once, and continues`,
    { skip },
    async () => {
      using folder = temporaryFolder('upgrade');
      await using pipeline = await Pipeline.create();
      const source = join(folder.path, 'source');
      const data = join(folder.path, 'data');
      const all = lines(linesOfOld + 400);
      const [before, after] = [all.slice(0, linesOfOld), all.slice(linesOfOld)];
      checkOut(commit, source);
      {
        await using old = await OldRelease.start(source, data, {
          ingest: await freePort(),
          live: await freePort(),
        });
        for (let start = 0; start < before.length; start += 250)
          await old.ingest(before.slice(start, start + 250));
        // At once: requests are open, and the views are behind the log.
        const code = await old.end(ending);
        if (ending === 'SIGTERM') assert.equal(code, 0);
      }
      cpSync(data, pipeline.dataFolder, { recursive: true });
      await pipeline.start();
      assert.equal((await pipeline.ingest(after.join('\n'))).status, 200);
      await pipeline.untilDone();

      const { total } = await pipeline.get<{ total: { value: number; exact: boolean } }>(
        '/api/search?limit=1',
      );
      assert.deepEqual(total, { value: all.length, exact: true });
      const found = new Map<string, number>();
      for (const { correlationId, eventCount } of await pipeline.documents<{
        id: string;
        correlationId: string;
        eventCount: number;
      }>())
        found.set(correlationId, (found.get(correlationId) ?? 0) + eventCount);
      const expected = requestsOf(all);
      assert.ok(expected.size > 50);
      assert.deepEqual(new Map([...found].sort()), new Map([...expected].sort()));
      assert.deepEqual(await pipeline.verify(), { complete: true, missing: 0 });
      assert.equal(await pipeline.end('SIGTERM'), 0);
      // Once more, now that all of it is in the present format.
      await pipeline.start();
      await pipeline.untilDone();
      assert.deepEqual(await pipeline.verify(), { complete: true, missing: 0 });
    },
  );
