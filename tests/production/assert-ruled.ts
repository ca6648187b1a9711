import { connectLog } from '@logloom/runtime';
import { alertToJson, topics, type AlertJson } from '@logloom/schemas';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verdictIn, verdictOf, type RuledDocument, type RuledRequest } from '../pipeline/ruled-requests.ts';
import type { WebhookReceiver } from '../pipeline/webhook-receiver.ts';
import type { Services } from './services.ts';
import { allDocuments } from './views.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

export interface RuledSummary {
  judged: number;
  revised: number;
  alerts: number;
  /** Records of logs.alerts that repeat another: two correlators that had a partition at once for a moment. */
  alertDuplicates: number;
  posts: number;
}

/**
 * Proves that rules judged each request as they must, that each alert was raised once and its webhook called, and that a replay of the
 * log makes the same documents.
 */
export async function assertRuled(
  services: Services,
  requests: readonly RuledRequest[],
  hook: WebhookReceiver,
): Promise<RuledSummary> {
  const all = await allDocuments(services);
  const documents = new Map(all.map((document) => [document.correlationId, document]));
  for (const request of requests) {
    const document = documents.get(request.id)!;
    assert.equal(document.eventCount, request.lines.length + request.late.length, request.id);
    assert.deepEqual(verdictIn(document), verdictOf(request), request.id);
  }
  const judged = new Set(requests.map(({ id }) => id));
  for (const { id, correlationId, rules, rulesVersion } of all) {
    assert.match(rulesVersion, /^[0-9a-f]{12}$/, `${id} was judged by rules`);
    if (!judged.has(correlationId)) assert.deepEqual(rules, [], id);
  }
  const ruled = requests.map(({ id }) => documents.get(id)!);
  const versions = Map.groupBy(ruled, ({ rulesVersion }) => rulesVersion);
  assert.equal(versions.size, 2, 'the file was changed once');
  for (const of of versions.values())
    assert.equal(new Set(of.map(({ rules }) => rules.includes('second'))).size, 1, 'a version judges alike');
  const revised = ruled.filter(({ revision }) => revision > 1).length;
  assert.ok(revised > 0, 'some events came late');

  for (const [filter, matches] of [
    ['rules:hung', (d: RuledDocument) => d.rules.includes('hung')],
    ['severity:high', (d: RuledDocument) => d.severity === 'high'],
    [
      'labels.outcome:done AND rules:spread',
      (d: RuledDocument) => ['done', 'spread'].every((rule) => d.rules.includes(rule)),
    ],
  ] as const) {
    const query = `/api/correlations?limit=1&q=${encodeURIComponent(filter)}`;
    const { total } = await services.get<{ total: object }>(query);
    assert.deepEqual(total, { value: all.filter(matches).length, exact: true }, filter);
  }

  const { alerts, duplicates } = await readAlerts(services);
  const raised = alerts.map(({ document, rule }) => `${document} ${rule}`).sort();
  const expected = requests.flatMap(({ id, rules }) =>
    rules.filter((rule) => rule !== 'done').map((rule) => `${documents.get(id)!.id} ${rule}`),
  );
  assert.deepEqual(raised, expected.sort(), 'the alerts of the log');
  const wanted = alerts.filter(({ rule }) => rule === 'spread').map(({ id }) => id);
  await eventually('every post', async () => wanted.every((id) => hook.taken.has(id)), 120_000).catch(
    async (error: unknown) => {
      const missing = wanted.filter((id) => !hook.taken.has(id));
      throw new Error(
        `${missing.length} of ${wanted.length} alerts were not taken (${missing.filter((id) => hook.posted.has(id)).length} of these were posted)`,
        { cause: error },
      );
    },
  );
  assert.deepEqual([...hook.posted.keys()].sort(), wanted.sort(), 'the alerts that were posted');

  await assertReplayed(services, all);
  const posts = [...hook.posted.values()].reduce((sum, times) => sum + times, 0);
  return { judged: requests.length, revised, alerts: alerts.length, alertDuplicates: duplicates, posts };
}

/** What the topic holds, by id; a copy says the same. */
async function readAlerts({ env }: Services): Promise<{ alerts: AlertJson[]; duplicates: number }> {
  await using connection = await connectLog(parseSettings(env));
  const { log, serde } = connection;
  const alerts = new Map<string, AlertJson>();
  let duplicates = 0;
  for (const [partition, end] of (await log.endOffsets(topics.alerts)).entries()) {
    for (let next = 0; next < end;) {
      const records = await log.read(topics.alerts, partition, next, 1_000);
      if (records.length === 0) break;
      await serde.load(records.map(({ value }) => value));
      for (const { value } of records) {
        const decoded = serde.decode(value);
        assert.equal(decoded.name, 'Alert');
        if (decoded.name !== 'Alert') continue;
        const alert = alertToJson(decoded.value);
        if (alerts.has(alert.id)) {
          duplicates++;
          assert.deepEqual(alert, alerts.get(alert.id));
        }
        alerts.set(alert.id, alert);
      }
      next = records.at(-1)!.offset + 1;
    }
  }
  return { alerts: [...alerts.values()], duplicates };
}

/** The log alone, by a process that was never killed, gives the documents that the services made. */
async function assertReplayed({ env }: Services, documents: readonly RuledDocument[]): Promise<void> {
  const folder = temporaryFolder('replayed').path;
  try {
    const to = join(folder, 'view');
    await promisify(execFile)(process.execPath, [main, 'replay', '--to', to, '--json'], {
      env: { ...process.env, ...env },
      cwd: folder,
    });
    const lines = readFileSync(join(to, 'correlations.ndjson'), 'utf8').trimEnd().split('\n');
    const replayed = new Map(
      lines.map((line) => JSON.parse(line) as RuledDocument).map((document) => [document.id, document]),
    );
    const byId = (of: Iterable<RuledDocument>): RuledDocument[] =>
      [...of].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(byId(replayed.values()), byId(documents), 'a replay makes the same documents');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
