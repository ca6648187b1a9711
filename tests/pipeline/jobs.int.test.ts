import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const lines = 4000;
const requests = 400;

interface Job {
  state: string;
  progress: number;
  result?: { redriven: number };
}

/** Events that a low INGEST_MAX_EVENT_BYTES refuses. */
const large = (n: number): string =>
  JSON.stringify({
    level: 'info',
    service: 'large',
    message: `large ${n} ${'x'.repeat(1000)}`,
    traceId: `trace-${n % requests}`,
  });

/** Runs the command line against the pipeline. */
async function logloom(
  pipeline: Pipeline,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: pipeline.env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : (error.code as number), out, err }),
    );
  });
}

async function post<T>(pipeline: Pipeline, path: string, body: unknown): Promise<T> {
  const response = await fetch(pipeline.viewersUrl + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Everything that was refused stands once in every store, and once in a correlation document. */
async function assertEachOnce(pipeline: Pipeline): Promise<void> {
  await pipeline.untilDone();
  const { total } = await pipeline.get<{ total: { value: number } }>('/api/search?q=service:large');
  assert.equal(total.value, lines);
  const messages = new Set<string>();
  for (let cursor = ''; ;) {
    const page = await pipeline.get<{ events: { message: string }[]; next?: string }>(
      `/api/search?q=service:large&limit=1000&cursor=${encodeURIComponent(cursor)}`,
    );
    for (const { message } of page.events) messages.add(message);
    if (page.next === undefined) break;
    cursor = page.next;
  }
  assert.equal(messages.size, lines);
  const { counts } = await pipeline.get<{ counts: { events: number; archived: number } }>('/api/status');
  assert.deepEqual([counts.events, counts.archived], [lines, lines]);
  const { correlations } = await pipeline.get<{
    correlations: { correlationId: string; eventCount: number }[];
  }>('/api/correlations?limit=1000');
  const members = new Map<string, number>();
  for (const { correlationId, eventCount } of correlations)
    members.set(correlationId, (members.get(correlationId) ?? 0) + eventCount);
  assert.equal(members.size, requests);
  for (const [id, count] of members) assert.equal(count, lines / requests, id);
}

test('refused input is redriven, once, through kill -9', async (t) => {
  const tooSmall = { CORRELATION_IDLE_MS: '1000', INGEST_MAX_EVENT_BYTES: '500' };
  await using pipeline = await Pipeline.create(tooSmall);
  await pipeline.start();

  await t.test('the command line counts without writing, by code', async () => {
    const body = Array.from({ length: lines }, (_, n) => large(n)).join('\n');
    const { accepted } = (await (await pipeline.ingest(`${body}\n{"message":`)).json()) as {
      accepted: number;
    };
    assert.equal(accepted, 0);
    const { code, out } = await logloom(pipeline, 'redrive', '--dry-run', '--json');
    assert.equal(code, 0);
    const { redriven, codes } = JSON.parse(out) as { redriven: number; codes: Record<string, number> };
    assert.equal(redriven, lines + 1);
    assert.deepEqual(codes, { 'event-too-large': lines, 'bad-json': 1 });
    const none = await logloom(pipeline, 'redrive', '--dry-run', '--filter', 'no reason has this');
    assert.equal(none.code, 1);
    assert.match(none.out, /^0 would be redriven/);
    const wrong = await logloom(pipeline, 'redrive', '--from', 'yesterday');
    assert.deepEqual([wrong.code, wrong.out], [2, '']);
    assert.match(wrong.err, /from is a time/);
  });

  await t.test('what is refused again counts as done, and its new dead letter can be redriven', async () => {
    const { code, out } = await logloom(pipeline, 'redrive', '--code', 'bad-json', '--json');
    assert.equal(code, 0, out);
    await pipeline.untilDone();
    const dry = await logloom(pipeline, 'redrive', '--code', 'bad-json', '--dry-run', '--json');
    assert.deepEqual(JSON.parse(dry.out), {
      dryRun: true,
      redriven: 1,
      codes: { 'bad-json': 1 },
      alreadyRedriven: 1,
      tooLarge: 0,
    });
  });

  await t.test('killed in the middle of it, and again: no duplicates, none lost', async () => {
    await pipeline.end('SIGKILL');
    delete pipeline.env['INGEST_MAX_EVENT_BYTES'];
    await pipeline.start();
    const { id } = await post<{ id: string }>(pipeline, '/api/jobs/redrive', { code: 'event-too-large' });
    for (const reached of [0.01, 0.5]) {
      await eventually('some progress', async () => {
        const { state, progress } = await pipeline.get<Job>(`/api/jobs/${id}`);
        return state === 'completed' || progress >= reached;
      });
      await pipeline.end('SIGKILL');
      await pipeline.start();
    }
    await eventually(
      'redriven',
      async () => (await pipeline.get<Job>(`/api/jobs/${id}`)).state === 'completed',
    );
    const { result } = await pipeline.get<Job>(`/api/jobs/${id}`);
    assert.equal(result?.redriven, lines);
    await assertEachOnce(pipeline);
  });

  await t.test('a second redrive finds nothing to do', async () => {
    const { code, out } = await logloom(pipeline, 'redrive', '--code', 'event-too-large');
    assert.equal(code, 1);
    assert.match(out, new RegExp(`^0 redriven\n.*${lines} were redriven before`));
    await assertEachOnce(pipeline);
  });

  await t.test(
    'a rebuild of the search index gives the same, and searches are answered meanwhile',
    async () => {
      const { id } = await post<{ id: string }>(pipeline, '/api/jobs/rebuild', {});
      await eventually('rebuilt', async () => {
        const { total } = await pipeline.get<{ total: { value: number } }>('/api/search?q=service:large');
        assert.equal(total.value, lines);
        return (await pipeline.get<Job>(`/api/jobs/${id}`)).state === 'completed';
      });
      await assertEachOnce(pipeline);
      await pipeline.ingest(large(0));
      await eventually('what comes after it is found', async () => {
        const { total } = await pipeline.get<{ total: { value: number } }>('/api/search?q=service:large');
        return total.value === lines + 1;
      });
    },
  );

  await t.test('requests that are none are refused', async () => {
    const status = async (path: string, init: RequestInit): Promise<number> =>
      (await fetch(pipeline.viewersUrl + path, init)).status;
    const json = { 'content-type': 'application/json' };
    assert.deepEqual(
      await Promise.all([
        status('/api/jobs/redrive', {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': 'text/plain' },
        }),
        status('/api/jobs/rebuild', { method: 'POST' }),
        status('/api/jobs/redrive', { method: 'POST', body: '{"again":1}', headers: json }),
        status('/api/jobs/redrive', { method: 'POST', body: '{', headers: json }),
        status('/api/jobs/none', {}),
        status('/api/jobs/none/retry', { method: 'POST', body: '{}', headers: json }),
        status('/api/saved-filters', { method: 'POST', body: '{"name":"n","filter":"a:("}', headers: json }),
        status('/api/saved-filters/none', { method: 'DELETE' }),
      ]),
      [415, 400, 400, 400, 404, 404, 400, 404],
    );
    assert.equal(await pipeline.end('SIGTERM'), 0, pipeline.errors);
  });
});
