import { eventually, openStackLog } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendBatches } from '../../apps/logloom/src/send/send-batches.ts';
import { Pipeline } from './pipeline.ts';
import { ruledRequest, rulesText, verdictIn, verdictOf, type RuledDocument } from './ruled-requests.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');
const requests = 320;
const kills = 4;

interface Document extends RuledDocument {
  eventCount: number;
}

interface Alert {
  id: string;
  rule: string;
  document: string;
}

test('rules, late events and a change of rules under kill -9: each request is judged right, each alert is there once', async (t) => {
  using hook = await WebhookReceiver.open();
  await using pipeline = await Pipeline.create({
    // Most late events come after their group has closed; all within its grace time.
    CORRELATION_IDLE_MS: '500',
    CORRELATION_BACKFILL_IDLE_MS: '1000',
    CORRELATION_MAX_MS: '60000',
    CORRELATION_GRACE_MS: '120000',
    CORRELATION_RULES: 'rules.yaml',
  });
  const rulesFile = join(pipeline.dataFolder, 'rules.yaml');
  writeFileSync(rulesFile, rulesText(hook.url));
  await pipeline.start();

  const planned = Array.from({ length: requests }, (_, i) => ruledRequest(i));
  let sending = true;
  let sent = 0;
  async function* batches(): AsyncGenerator<string[]> {
    const size = 8;
    for (let i = 0; i < planned.length + 5 * size; i += size) {
      const fresh = planned.slice(i, i + size).flatMap(({ lines }) => lines);
      const late = planned.slice(Math.max(0, i - 5 * size), Math.max(0, i - 4 * size)).flatMap((p) => p.late);
      sent += fresh.length + late.length;
      if (i === requests / 2) writeFileSync(rulesFile, rulesText(hook.url, { withSecond: true }));
      if (fresh.length + late.length > 0) yield [...fresh, ...late].map((line) => JSON.stringify(line));
      await sleep(200);
    }
  }
  const sending_ = sendBatches(batches(), { url: pipeline.ingestUrl, onProgress: () => {} }).finally(
    () => (sending = false),
  );
  let killed = 0;
  for (; killed < kills && sending; killed++) {
    await sleep(300 + Math.random() * 1200);
    await pipeline.end('SIGKILL');
    await pipeline.start();
  }
  const result = await sending_;
  assert.deepEqual([result.accepted, result.rejected], [sent, 0]);
  assert.ok(killed >= 3, `${killed} kills`);
  const metric = async (name: string): Promise<number> => {
    const metrics = await (await fetch(`${pipeline.viewersUrl}/metrics`)).text();
    const values = [...metrics.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))];
    assert.notEqual(values.length, 0, name);
    return values.reduce((sum, [, value]) => sum + Number(value), 0);
  };
  await eventually('nothing waited for', async () => (await metric('logloom_correlator_open_waits')) === 0);
  await pipeline.untilDone();

  const { correlations } = await pipeline.get<{ correlations: Document[] }>('/api/correlations?limit=1000');
  const ruled = new Map(correlations.map((document) => [document.correlationId, document]));

  await t.test('each request is one document with its rules, severity and labels', () => {
    assert.equal(correlations.length, requests);
    for (const request of planned) {
      const document = ruled.get(request.id)!;
      assert.equal(document.eventCount, request.lines.length + request.late.length, request.id);
      assert.deepEqual(verdictIn(document), verdictOf(request), request.id);
    }
    assert.ok(
      correlations.some(({ revision }) => revision > 1),
      'some events came late',
    );
  });

  await t.test('the rule that was added counts from its record in the log on', () => {
    const byVersion = Map.groupBy(correlations, ({ rulesVersion }) => rulesVersion);
    assert.equal(byVersion.size, 2);
    for (const documents of byVersion.values()) {
      const counts = new Set(documents.map(({ rules }) => rules.includes('second')));
      assert.equal(counts.size, 1, 'one version judges alike');
    }
  });

  await t.test('each alert is in the log once, and each with a webhook has arrived', async () => {
    const { alerts } = await pipeline.get<{ alerts: Alert[] }>('/api/alerts?limit=1000');
    const raised = alerts.map(({ document, rule }) => `${document} ${rule}`).sort();
    const expected = planned
      .flatMap(({ id, rules }) =>
        rules.filter((rule) => rule !== 'done').map((rule) => `${ruled.get(id)!.id} ${rule}`),
      )
      .sort();
    assert.deepEqual(raised, expected);
    const topics = await pipeline.get<{ topics: Record<string, { start: number; end: number }[]> }>(
      '/api/status',
    );
    const records = topics.topics['logs.alerts']!.reduce((sum, { start, end }) => sum + end - start, 0);
    assert.equal(records, expected.length, 'no second copy in the topic');
    const wanted = alerts.filter(({ rule }) => rule === 'spread').map(({ id }) => id);
    await eventually('every post', async () => wanted.every((id) => hook.taken.has(id)));
    assert.equal(hook.posted.size, wanted.length);
  });

  const run = (...args: string[]): Promise<{ code: number; out: string }> =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        [main, ...args],
        { env: pipeline.env, cwd: pipeline.dataFolder, maxBuffer: 2 ** 28 },
        (error, out) => resolve({ code: error === null ? 0 : (error.code as number), out }),
      );
    });

  await t.test(
    'a replay gives the live documents again; without rules it differs in what rules say',
    async () => {
      const [same, other] = [join(pipeline.dataFolder, 'same'), join(pipeline.dataFolder, 'other')];
      assert.equal((await run('replay', '--to', same, '--json')).code, 0);
      const replayed = new Map(
        readFileSync(join(same, 'correlations.ndjson'), 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Document)
          .map((document) => [document.id, document]),
      );
      const byId = (documents: Iterable<Document>): Document[] =>
        [...documents].sort((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(byId(replayed.values()), byId(correlations));
      assert.equal((await run('replay', '--without-rules', '--to', other)).code, 0);
      const compared = await run('replay', 'compare', same, other, '--json');
      assert.equal(compared.code, 1);
      const { rules, different } = JSON.parse(compared.out) as {
        rules: Record<string, { first: number; second: number }>;
        different: unknown[];
      };
      const hung = planned.filter((p) => p.rules.includes('hung')).length;
      assert.deepEqual(rules['hung'], { first: hung, second: 0 });
      assert.ok(different.length > 0);
      assert.equal((await run('replay', 'compare', same, same)).code, 0);
    },
  );

  await t.test('plain text: each OpenStack request has exactly the lines that name it', async () => {
    const direct = new Map<string, number>();
    for (const line of openStackLog().split('\n')) {
      const id = /\breq-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/.exec(line)?.[0];
      if (id !== undefined) direct.set(id, (direct.get(id) ?? 0) + 1);
    }
    assert.ok(direct.size > 900);
    const file = join(pipeline.dataFolder, 'openstack.log');
    writeFileSync(file, openStackLog());
    assert.equal((await run('send', file)).code, 0);
    await pipeline.untilDone();
    const grouped = new Map<string, number>();
    let cursor: string | undefined;
    do {
      const next = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await pipeline.get<{ correlations: Document[]; next?: string }>(
        `/api/correlations?q=kind:message&limit=1000${next}`,
      );
      for (const { correlationId, eventCount } of page.correlations) {
        assert.ok(!grouped.has(correlationId), `${correlationId} is one group`);
        grouped.set(correlationId, eventCount);
      }
      cursor = page.next;
    } while (cursor !== undefined);
    const sorted = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(sorted(grouped), sorted(direct));
    t.diagnostic(`${direct.size} requests of OpenStack, each with its lines`);
  });
});
