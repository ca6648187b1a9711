import { parseMetrics } from '@logloom/telemetry/testing/metrics-text';
import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { answers } from '../../infra/local/readiness.ts';
import { ServerProcess } from '../../infra/local/server-process.ts';
import { startStack } from '../../infra/local/start-stack.ts';
import { Services } from './services.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes long; LOGLOOM_FULL=1 runs it';
const receivers = ['json', 'elasticsearch', 'loki', 'otlp', 'syslog-tcp', 'syslog-udp', 'raw'];
const paths = ['searchable', 'correlated', 'sent'];

test(
  'beside services on Kafka and Elasticsearch: every receiver on every path, killed services are no loss, and users see nothing',
  { skip },
  async (t) => {
    await using stack = await startStack({ only: ['kafka', 'elasticsearch'] });
    const missing = Object.values(stack.missing)[0];
    if (missing !== undefined) return t.skip(missing);
    await using services = await Services.start(stack, {
      CANARY: 'on',
      CANARY_SECRET: 'a secret of at least 32 characters',
      CORRELATION_IDLE_MS: '1000',
      SYSLOG_PORT: String(await freePort()),
    });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const env = {
      ...services.env,
      CANARY_INTERVAL_MS: '1000',
      CANARY_SEARCH_URL: services.apiUrl,
      HEALTH_PORT: String(port),
    };
    const canary = new ServerProcess({
      name: 'canary',
      port,
      command: 'env',
      args: [
        ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
        process.execPath,
        join(import.meta.dirname, '../../apps/logloom/src/main.ts'),
        'canary',
      ],
      logFile: join(services.env['LOGLOOM_DATA']!, '..', 'canary.log'),
      isReady: answers(`${url}/health/ready`),
      signal: new AbortController().signal,
    });
    await canary.start();
    await using cleanUp = new AsyncDisposableStack();
    cleanUp.defer(() => canary.kill());

    const total = async (name: string, ...labels: string[]): Promise<number> => {
      const families = parseMetrics(await (await fetch(`${url}/metrics`)).text());
      const samples = families.get(`logloom_canary_${name}_events_total`)?.samples ?? [];
      return samples
        .filter((sample) => labels.every((label) => sample.labels.includes(`"${label}"`)))
        .reduce((sum, { value }) => sum + value, 0);
    };
    const untilHealthy = async (more: number): Promise<void> => {
      const counts = async (): Promise<number[]> => {
        const all: number[] = [];
        for (const receiver of receivers)
          for (const path of paths) all.push(await total('expected', receiver, path));
        return all;
      };
      const before = await counts();
      await eventually('every receiver on every path', async () =>
        (await counts()).every((count, i) => count >= before[i]! + more),
      );
    };
    const assertNothingLost = async (): Promise<void> => {
      for (const name of ['lost', 'duplicated', 'disordered']) assert.equal(await total(name), 0, name);
    };
    const nobodySees = async (): Promise<void> => {
      assert.deepEqual(await services.get('/api/search'), { total: { value: 0, exact: true }, events: [] });
      assert.deepEqual(await services.get('/api/correlations'), {
        total: { value: 0, exact: true },
        correlations: [],
      });
      const { counts } = await services.get<{ counts: Record<string, number> }>('/api/status');
      assert.deepEqual(new Set(Object.values(counts)), new Set([0]));
    };

    await untilHealthy(4);
    await assertNothingLost();
    assert.equal(await total('refused'), 0);
    await nobodySees();
    for (const name of ['fanout', 'indexer', 'correlator'] as const) {
      await services.of(name).kill('SIGKILL');
      await services.of(name).start();
      await untilHealthy(4);
      await assertNothingLost();
    }
    await nobodySees();

    await services.of('ingest').kill('SIGKILL');
    await eventually('refused', async () => (await total('refused')) > 0);
    await services.of('ingest').start();
    await untilHealthy(4);
    assert.equal(await total('duplicated'), 0);

    await canary.kill('SIGTERM');
    assert.equal(await canary.ended, 'exit code 0');
  },
);
