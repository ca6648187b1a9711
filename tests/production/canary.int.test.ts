import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startStack } from '../../infra/local/start-stack.ts';
import { CanaryProcess } from './canary-process.ts';
import { Services } from './services.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes long; LOGLOOM_FULL=1 runs it';
const receivers = ['json', 'elasticsearch', 'loki', 'otlp', 'syslog-tcp', 'syslog-udp', 'raw'];

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
    const env = { ...services.env, CANARY_INTERVAL_MS: '1000', CANARY_SEARCH_URL: services.apiUrl };
    const logFile = join(services.env['LOGLOOM_DATA']!, '..', 'canary.log');
    await using canary = await CanaryProcess.start(env, logFile);
    const untilHealthy = (): Promise<void> => canary.untilArrived(receivers, 4);
    const assertNothingLost = async (): Promise<void> => {
      for (const name of ['lost', 'duplicated', 'disordered'])
        assert.equal(await canary.total(name), 0, name);
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

    await untilHealthy();
    await assertNothingLost();
    assert.equal(await canary.total('refused'), 0);
    await nobodySees();
    for (const name of ['fanout', 'indexer', 'correlator'] as const) {
      await services.of(name).kill('SIGKILL');
      await services.of(name).start();
      await untilHealthy();
      await assertNothingLost();
    }
    await nobodySees();

    await services.of('ingest').kill('SIGKILL');
    await eventually('refused', async () => (await canary.total('refused')) > 0);
    await services.of('ingest').start();
    await untilHealthy();
    assert.equal(await canary.total('duplicated'), 0);

    await canary.process.kill('SIGTERM');
    assert.equal(await canary.process.ended, 'exit code 0');
  },
);
