import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Pipeline } from './pipeline.ts';
import { whyNoBrowser, withBrowser } from './with-browser.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const id = 'one-long-request';
const events = 2_500;
/** All together more than a page of the API. */
const messageBytes = 4_000;

interface Request {
  id: string;
  eventCount: number;
  parts: { part: number; id: string; previous?: string; eventCount: number }[];
  events: { message: string }[];
}

test('a request that was written in three documents is one for the API, the command line and the page', async (t) => {
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '1000',
    CORRELATION_MAX_EVENTS: '1000',
  });
  await pipeline.start();
  const lines = Array.from({ length: events }, (_, n) =>
    JSON.stringify({
      timestamp: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
      service: 'batch',
      traceId: id,
      message: `step ${n} `.padEnd(messageBytes, '.'),
    }),
  );
  for (let n = 0; n < events; n += 500) await pipeline.ingest(lines.slice(n, n + 500).join('\n'));
  await eventually('three documents', async () => {
    const { total } = await pipeline.get<{ total: { value: number } }>(
      `/api/correlations?q=correlationId:${id}`,
    );
    return total.value === 3;
  });
  await pipeline.untilDone();

  const first = await pipeline.get<Request & { next?: string }>(`/api/correlations/${id}`);
  assert.equal(first.eventCount, events);
  assert.ok(first.next !== undefined && first.events.length < events, 'it comes in pages');
  assert.deepEqual(
    first.parts.map(({ part, previous, eventCount }) => [part, previous, eventCount]),
    [
      [1, undefined, 1_000],
      [2, first.parts[0]!.id, 1_000],
      [3, first.parts[1]!.id, 500],
    ],
  );

  const { stdout } = await promisify(execFile)(process.execPath, [main, 'correlation', id, '--json'], {
    env: pipeline.env,
    maxBuffer: 64 * 2 ** 20,
  });
  const shown = JSON.parse(stdout) as Request;
  assert.deepEqual(
    shown.events.map(({ message }) => Number(/^step (\d+)/.exec(message)![1])),
    Array.from({ length: events }, (_, n) => n),
  );

  if (whyNoBrowser !== undefined) return t.diagnostic(`without the page: ${whyNoBrowser}`);
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(`${pipeline.viewersUrl}/#requests?id=${encodeURIComponent(first.parts[1]!.id)}`);
    const rows = page.getByTestId('request-events').getByTestId('event-row');
    await eventually('its first page', async () => (await rows.count()) === 1_000);
    const head = await page.getByTestId('request-head').innerText();
    assert.match(head, /2,500/);
    assert.match(head, /3 parts/);
    for (const count of [2_000, events]) {
      await page.getByTestId('more-events').click();
      await eventually(`${count} events`, async () => (await rows.count()) === count);
    }
    assert.equal(await page.getByTestId('more-events').isVisible(), false);
  });
});
