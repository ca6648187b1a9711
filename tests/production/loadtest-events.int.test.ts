import { eventually } from '@logloom/testing';
import { MongoClient } from 'mongodb';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStack } from '../../infra/local/start-stack.ts';
import { Services } from './services.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'takes long; LOGLOOM_FULL=1 runs it';

interface Found {
  total: { value: number };
  events: { message: string }[];
  correlations: { id: string; kind: string; eventCount: number }[];
}

test(
  "on the real engines a load test's events are in indices and collections of their own until they expire",
  { skip },
  async (t) => {
    await using stack = await startStack();
    const missing = Object.values(stack.missing)[0];
    if (missing !== undefined) return t.skip(missing);
    await using services = await Services.start(stack, { CORRELATION_IDLE_MS: '1000' });
    const send = async (whose: 'user' | 'load', count: number): Promise<void> => {
      const events = Array.from({ length: count }, (_, i) => ({
        message: `${whose} ${i}`,
        service: whose,
        // Both have the same ids.
        correlationId: 'request-1',
        ...(whose === 'load'
          ? { loadtest: { run: 'ab12' }, timestamp: new Date(Date.now() - 300_000).toISOString() }
          : {}),
      }));
      const response = await fetch(`${services.ingestUrl}/ingest`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(whose === 'load' ? { 'logloom-loadtest': 'ab12' } : {}),
        },
        body: JSON.stringify(events),
      });
      assert.equal(response.status, 200, await response.text());
    };
    const find = (path: string, q: string): Promise<Found> =>
      services.get<Found>(`${path}?q=${encodeURIComponent(q)}`);
    const asking = 'correlationKind:loadtest AND attributes.loadtest.run:ab12';

    await send('load', 6);
    await send('user', 4);
    const whole = async (): Promise<void> => {
      await eventually('all is found', async () => {
        const documents = await find('/api/correlations', '');
        const theirs = await find('/api/correlations', 'kind:loadtest');
        const totals = [await find('/api/search', ''), await find('/api/search', asking)].map(
          ({ total }) => total.value,
        );
        const isWhole = documents.correlations.length === 1 && theirs.correlations.length === 1;
        return isWhole && totals[0]! >= 4 && totals[1]! >= 6;
      });
      assert.equal((await find('/api/search', '')).total.value, 4);
      assert.equal((await find('/api/search', asking)).total.value, 6);
      const [document] = (await find('/api/correlations', 'kind:loadtest')).correlations;
      assert.deepEqual([document!.kind, document!.eventCount], ['loadtest', 6]);
      const members = await services.get<Found>(`/api/correlations/${document!.id}`);
      assert.deepEqual(
        members.events.map(({ message }) => message),
        Array.from({ length: 6 }, (_, i) => `load ${i}`),
      );
      const own = await services.get<Found>('/api/correlations/request-1');
      assert.equal(own.events.length, 4);
    };
    await whole();
    await services.of('indexer').kill('SIGKILL');
    await services.of('correlator').kill('SIGKILL');
    await services.of('indexer').start();
    await services.of('correlator').start();
    await whole();

    // Asked of the engines themselves.
    const indexed = async (indices: string): Promise<number> => {
      const url = `${stack.env['ELASTICSEARCH_URL']}/${indices}/_count?ignore_unavailable=true`;
      return ((await (await fetch(url)).json()) as { count: number }).count;
    };
    const client = new MongoClient(stack.env['MONGODB_URL']!);
    t.after(() => client.close());
    const archived = async (isOurs: (name: string) => boolean): Promise<number> => {
      const database = /^[^/]+\/\/[^/]+\/[^?]/.test(stack.env['MONGODB_URL']!) ? undefined : 'logloom';
      const db = client.db(database);
      let count = 0;
      for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray())
        if (isOurs(name)) count += await db.collection(name).countDocuments();
      return count;
    };
    const isLoadtests = (name: string): boolean => /^loadtest_(events_|correlations$)/.test(name);
    const isUsers = (name: string): boolean => /^(events_|correlations$)/.test(name);
    // Not that of the marks, which is beside them.
    const ofLoadtests = 'logloom-loadtest-20*,logloom-loadtest-other,logloom-loadtest-correlations';
    assert.equal(await indexed('logs*'), 4);
    assert.equal(await indexed(ofLoadtests), 7, 'six events and a document');
    assert.deepEqual([await archived(isLoadtests), await archived(isUsers)], [7, 5]);

    await services.of('indexer').kill('SIGTERM');
    await services.another('indexer', { LOADTEST_RETENTION_MS: '60000' });
    await eventually(
      'expired',
      async () => (await indexed(ofLoadtests)) === 0 && (await archived(isLoadtests)) === 0,
    );
    assert.deepEqual([await indexed('logs*'), await archived(isUsers)], [4, 5]);
  },
);
