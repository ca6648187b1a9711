import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';

const asking = 'correlationKind:loadtest AND attributes.loadtest.run:ab12';

test('users see nothing of a load test in any view, and who asks for it sees all of it until it expires', async () => {
  await using pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '300' });
  writeFileSync(
    join(pipeline.dataFolder, 'rules.yaml'),
    "rules: [{ name: failed, when: 'level:error', severity: high, alert: true }]",
  );
  pipeline.env['CORRELATION_RULES'] = join(pipeline.dataFolder, 'rules.yaml');
  await pipeline.start();
  const send = async (whose: 'user' | 'load', count: number): Promise<void> => {
    const lines = Array.from({ length: count }, (_, i) =>
      JSON.stringify({
        message: `${whose} ${i}`,
        service: `${whose}-service`,
        level: 'error',
        // The same ids: the events of one whole request may come from both.
        correlationId: `request-${i % 2}`,
        ...(whose === 'load'
          ? { loadtest: { run: 'ab12', n: i }, timestamp: new Date(Date.now() - 300_000).toISOString() }
          : { shop: 'x' }),
      }),
    );
    const response = await fetch(`${pipeline.ingestUrl}/ingest`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        ...(whose === 'load' ? { 'logloom-loadtest': 'ab12' } : {}),
      },
      body: lines.join('\n'),
    });
    assert.equal(response.status, 200);
  };
  const get = async <T = Record<string, never>>(
    path: string,
    query: Record<string, string> = {},
  ): Promise<T> => {
    const response = await fetch(`${pipeline.viewersUrl}/api${path}?${String(new URLSearchParams(query))}`);
    assert.equal(response.status, 200, path);
    return (await response.json()) as T;
  };
  interface Found {
    total: { value: number };
    events: { id: string; message: string }[];
    correlations: { id: string; correlationId: string; kind: string; eventCount: number }[];
  }
  const totalOf = async (q: string): Promise<number> =>
    (await get<Found>('/search', { q, limit: '0' })).total.value;
  const documentsOf = async (q: string): Promise<Found['correlations']> =>
    (await get<Found>('/correlations', { q })).correlations;

  const saved = await fetch(`${pipeline.viewersUrl}/api/saved-filters`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'errors', filter: 'level:error', everyMs: 1000 }),
  });
  assert.ok(saved.ok, await saved.clone().text());
  const { id: savedId } = (await saved.json()) as { id: string };
  await send('load', 6);
  await send('user', 4);
  await eventually('documents', async () => {
    const all = [...(await documentsOf('')), ...(await documentsOf('kind:loadtest'))];
    return all.length === 4;
  });

  // Search, in every way to ask for it without asking for load tests.
  for (const q of [
    '',
    '*',
    'level:error',
    'attributes.loadtest.run:ab12 OR level:error',
    'correlationKind:*',
  ])
    assert.equal(await totalOf(q), 4, q);
  for (const q of ['attributes.loadtest.run:ab12', 'message:load', 'correlationKind:loadtest OR service:x'])
    assert.equal(await totalOf(q), 0, q);
  assert.deepEqual([await totalOf(asking), await totalOf('correlationKind:loadtest')], [6, 6]);

  const histogram = async (q: string): Promise<number> => {
    const { buckets } = await get<{ buckets: { count: number }[] }>('/histogram', { q });
    return buckets.reduce((sum, { count }) => sum + count, 0);
  };
  assert.deepEqual([await histogram(''), await histogram(asking)], [4, 6]);
  const services = async (q: string): Promise<string[]> => {
    const { values } = await get<{ values: { value: string }[] }>('/fields', { q, field: 'service' });
    return values.map(({ value }) => value);
  };
  assert.deepEqual([await services(''), await services(asking)], [['user-service'], ['load-service']]);
  const { fields } = await get<{ fields: string[] }>('/fields');
  assert.ok(fields.includes('attributes.shop') && !fields.some((field) => field.includes('loadtest')));

  // Requests: one of each, though both have the same ids.
  assert.deepEqual(
    [await documentsOf(''), await documentsOf('kind:loadtest')].map((documents) =>
      documents.map(({ correlationId, kind, eventCount }) => [correlationId, kind, eventCount]).sort(),
    ),
    [
      [
        ['request-0', 'correlationId', 2],
        ['request-1', 'correlationId', 2],
      ],
      [
        ['request-0', 'loadtest', 3],
        ['request-1', 'loadtest', 3],
      ],
    ],
  );
  const own = await get<Found>('/correlations/request-0');
  assert.deepEqual(
    own.events.map(({ message }) => message),
    ['user 0', 'user 2'],
  );
  // By its id, which nobody knows who did not ask.
  const [theirs] = await documentsOf('kind:loadtest AND correlationId:request-0');
  const members = await get<Found>(`/correlations/${theirs!.id}`);
  assert.deepEqual(
    members.events.map(({ message }) => message),
    ['load 0', 'load 2', 'load 4'],
  );
  const { id } = members.events[0]!;
  assert.equal((await get<{ message: string }>(`/events/${id}`)).message, 'load 0');

  // Alerts, saved filters, and what operators count.
  await eventually('alerts', async () => (await get<{ alerts: unknown[] }>('/alerts')).alerts.length === 2);
  await eventually('the saved filter', async () => {
    const filter = await get<{ lastRun?: { count: number; to: string } }>(`/saved-filters/${savedId}`);
    if ((filter.lastRun?.count ?? 0) > 0) assert.equal(filter.lastRun?.count, 4);
    return (filter.lastRun?.count ?? 0) > 0;
  });
  const { counts } = await get<{ counts: Record<string, number> }>('/status');
  assert.deepEqual(
    [counts['events'], counts['correlations'], counts['archived'], counts['archivedCorrelations']],
    [4, 2, 4, 2],
  );

  // Nothing is missing, after a restart neither, and a rebuild does not bring them back.
  await pipeline.end('SIGKILL');
  await pipeline.start();
  for (const [name, body] of [
    ['rebuild', {}],
    ['verify', {}],
  ] as const) {
    const job = await fetch(`${pipeline.viewersUrl}/api/jobs/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(job.ok, await job.clone().text());
    const { id: jobId } = (await job.json()) as { id: string };
    let result: { views?: { missing: number; expected: number }[] } | undefined;
    await eventually(name, async () => {
      const shown = await get<{ state: string; result?: typeof result }>(`/jobs/${jobId}`);
      result = shown.result;
      return shown.state === 'completed';
    });
    if (name === 'verify') assert.equal(result?.views?.length, 4);
    // Users' views have to have users' events, and no others.
    for (const { missing, expected } of result?.views ?? [])
      assert.deepEqual([missing, expected === 4 || expected === 2], [0, true], JSON.stringify(result));
  }
  assert.deepEqual([await totalOf(''), await totalOf(asking)], [4, 6]);
  const files = join(pipeline.dataFolder, 'loadtest');
  assert.ok(existsSync(files));

  // They expire, and what is users' stays.
  await pipeline.end('SIGTERM');
  pipeline.env['LOADTEST_RETENTION_MS'] = '60000';
  await pipeline.start();
  await eventually('removed', () => !existsSync(files));
  assert.deepEqual([await totalOf(''), await totalOf(asking)], [4, 0]);
  assert.equal((await documentsOf('kind:loadtest')).length, 0);
  const gone = await fetch(`${pipeline.viewersUrl}/api/events/${id}`);
  assert.equal(gone.status, 404);
});
