import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Services } from './services.ts';

const pollMs = 100;

/**
 * Rebuilds the search index by the API's job, and asks Elasticsearch itself all the while: the alias of the events moves once, from
 * all of the old indices to all of the new ones, and who counts through it never finds fewer than before. Gives the job's result.
 */
export async function rebuildUnderTraffic(services: Services): Promise<unknown> {
  const url = services.env['ELASTICSEARCH_URL']!;
  const ask = async <T>(path: string): Promise<T | undefined> => {
    const response = await fetch(url + path);
    // An index that is removed while it is counted.
    return response.ok ? ((await response.json()) as T) : undefined;
  };
  const serving: string[][] = [];
  let counted = 0;
  const look = async (): Promise<void> => {
    const found = await ask<{ count: number; _shards: { failed: number } }>('/logs/_count');
    if (found !== undefined && found._shards.failed === 0) {
      assert.ok(found.count >= counted, `${found.count} events are found where ${counted} were`);
      counted = found.count;
    }
    const aliased = await ask<Record<string, unknown>>('/_alias/logs');
    const indices = Object.keys(aliased ?? {}).sort();
    if (rebuildOf(indices) !== rebuildOf(serving.at(-1) ?? [])) serving.push(indices);
  };

  await eventually('events in the index', async () => (await look(), counted > 0));
  serving.push(Object.keys((await ask<Record<string, unknown>>('/_alias/logs')) ?? {}));
  const answer = await fetch(`${services.apiUrl}/api/jobs/rebuild`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(answer.status, 202);
  const { id } = (await answer.json()) as { id: string };
  const job = (): Promise<{ state: string; result?: unknown; error?: string }> =>
    services.get(`/api/jobs/${encodeURIComponent(id)}`);
  let state = await job();
  for (; state.state !== 'completed'; state = await job()) {
    assert.notEqual(state.state, 'failed', state.error);
    await look();
    await sleep(pollMs);
  }
  await look();
  const told = serving.map((indices) => indices.join()).join('; ');
  assert.deepEqual(serving.map(rebuildOf).map(Boolean), [false, true], `the alias named in turn: ${told}`);
  const [before, after] = serving;
  assert.deepEqual(
    after!.filter((index) => before!.includes(index)),
    [],
    told,
  );
  return state.result;
}

/** The rebuild that made the indices; '' for none. Several would be told as such. */
function rebuildOf(indices: readonly string[]): string {
  const ids = indices.map((index) => /^logloom-rebuilt-([0-9a-f]{8})-/.exec(index)?.[1] ?? '');
  return [...new Set(ids)].sort().join('');
}
