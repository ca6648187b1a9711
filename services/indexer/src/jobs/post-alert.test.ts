import { alertDefaults, topics, type Alert } from '@logloom/schemas';
import { createTelemetry } from '@logloom/telemetry';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { newestAlerts } from '../api/newest-alerts.ts';
import { openRig, partitions } from '../testing/jobs-rig.ts';
import { queueAlerts } from './queue-alerts.ts';
import { runJobs } from './run-jobs.ts';

test('each alert with a webhook is posted, again after a fault, and once; a refusal fails its job', async () => {
  await using rig = await openRig();
  const { log, serde, queue } = rig;
  const posts: { path: string; id: string; user: string; body: { id: string; rule: string } }[] = [];
  // Those that wait for an answer.
  const waiting: (() => void)[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    void json(request).then((body) => {
      const path = request.url!;
      posts.push({
        path,
        id: String(request.headers['logloom-alert-id']),
        user: String(request.headers.authorization),
        body: body as { id: string; rule: string },
      });
      if (path === '/silent') {
        waiting.push(() => response.writeHead(200).end());
        return;
      }
      const isFirst = posts.filter((post) => post.path === path).length === 1;
      response.writeHead(path === '/gone' ? 404 : path === '/flaky' && isFirst ? 503 : 204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const alerts = [
    alert(5, { webhook: `${base}/silent` }),
    alert(1, { webhook: `${base}/fine` }),
    alert(2, { webhook: `${base}/flaky` }),
    alert(3, { webhook: `${base}/gone` }),
    alert(4, { webhook: null }),
    alert(6, { webhook: `${base.replace('//', '//ada:pass%40word@')}/secret` }),
    // Where clouds keep the credentials of a machine.
    alert(7, { webhook: 'http://169.254.169.254/latest/meta-data/' }),
  ];
  await log.append(
    topics.alerts,
    alerts.map((each, i) => ({ partition: i % partitions, key: null, value: serde.encode('Alert', each) })),
  );
  const stop = new AbortController();
  const consume = (signal: AbortSignal): Promise<void> =>
    log.consume(
      {
        group: 'alerts',
        topics: [topics.alerts],
        open: async (each) => queueAlerts({ log, serde, queue, gaps: () => assert.fail('no gap') }, each),
      },
      signal,
    );
  const { logger } = createTelemetry('indexer', 'error');
  const silent = { ...logger, warn: () => {} } as unknown as typeof logger;
  const settings = {
    LOG_RETENTION_MS: undefined,
    SEARCH_RETENTION_MS: undefined,
    ARCHIVE_RETENTION_MS: undefined,
    KAFKA_BROKERS: undefined,
  };
  const running = [
    consume(stop.signal),
    runJobs({ ...rig, evaluating: rig.search, logger: silent, settings, nowMs: Date.now }, stop.signal),
  ];
  try {
    const state = async (n: number): Promise<string | undefined> => (await queue.get(`alert-a-${n}`))?.state;
    await eventually(
      'the first two alerts are posted',
      async () => (await state(1)) === 'completed' && (await state(2)) === 'completed',
    );
    await eventually('the third alert has failed', async () => (await state(3)) === 'failed');
    await eventually('the seventh alert has failed', async () => (await state(7)) === 'failed');
    assert.match((await queue.get('alert-a-7'))!.error!, /link-local address/);
    await eventually('the sixth alert is posted', async () => (await state(6)) === 'completed');
    const [{ user } = { user: '' }] = posts.filter((p) => p.path === '/secret');
    assert.equal(user, `Basic ${Buffer.from('ada:pass@word').toString('base64')}`);
    await eventually('the slow receiver has a request', async () => waiting.length === 1);
    assert.equal(await state(5), 'active', 'a receiver that does not answer holds up no other');
    waiting[0]!();
    await eventually('the fifth alert is posted', async () => (await state(5)) === 'completed');
    assert.equal(await queue.get('alert-a-4'), undefined);
    const sent = (path: string): string[] => posts.filter((p) => p.path === path).map((p) => p.body.id);
    assert.deepEqual([sent('/fine'), sent('/flaky'), sent('/gone')], [['a-1'], ['a-2', 'a-2'], ['a-3']]);
    assert.ok(posts.every((post) => post.id === post.body.id && !JSON.stringify(post.body).includes(base)));
    const { values } = await rig.metrics.webhooks.get();
    assert.deepEqual(Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value])), {
      delivered: 4,
      retried: 1,
      failed: 2,
    });
    const jobs = (await rig.metrics.jobs.get()).values.filter(({ labels }) => labels.name === 'alert');
    assert.deepEqual(Object.fromEntries(jobs.map(({ labels, value }) => [labels.outcome, value])), {
      completed: 4,
      retried: 1,
      failed: 2,
    });
    assert.deepEqual(
      (await newestAlerts(log, serde, 3)).map(({ id }) => id),
      ['a-7', 'a-6', 'a-5'],
    );
  } finally {
    stop.abort();
    await Promise.all(running);
    server.close();
  }
});

function alert(n: number, rest: Partial<Alert>): Alert {
  return {
    id: `a-${n}`,
    rule: 'r',
    rulesVersion: 'v',
    message: 'm',
    severity: 'high',
    labels: { team: 'shop' },
    webhook: null,
    at: n,
    documentId: '0-1',
    revision: 1,
    correlationId: 'c',
    services: ['shop'],
    eventCount: 3,
    errorCount: 1,
    firstAt: 1,
    lastAt: 2,
    closeOffset: n,
    closeSequence: 0,
    index: 0,
    ...alertDefaults,
    ...rest,
  };
}
