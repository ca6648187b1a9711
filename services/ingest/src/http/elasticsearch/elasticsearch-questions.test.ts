import { createTelemetry } from '@logloom/telemetry';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHttpServer } from '../http-server.ts';
import type { Pipeline } from '../../pipeline/pipeline.ts';
import { MemoryBudget } from '../../admission/memory-budget.ts';
import { httpReceivers } from '../../receivers.ts';
import { createMetrics } from '../../telemetry.ts';

type Question = [method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE', url: string, status: number];

/** What each asks before it sends, as its sources and documentation have it. */
const shippers: Record<string, Question[]> = {
  Filebeat: [
    ['GET', '/', 200],
    ['GET', '/_license?human=false', 200],
    ['GET', '/_ilm/policy/filebeat', 404],
    ['PUT', '/_ilm/policy/filebeat', 200],
    ['HEAD', '/_index_template/filebeat-9.5.1', 404],
    ['PUT', '/_index_template/filebeat-9.5.1', 200],
    ['GET', '/_data_stream/filebeat-9.5.1', 404],
    ['PUT', '/_data_stream/filebeat-9.5.1', 200],
    ['GET', '/_ingest/pipeline/filebeat-9.5.1-nginx', 404],
    ['PUT', '/_ingest/pipeline/filebeat-9.5.1-nginx', 200],
  ],
  Logstash: [
    ['HEAD', '/', 200],
    ['GET', '/', 200],
    ['GET', '/_license', 200],
    ['GET', '/_nodes/http', 200],
    ['GET', '/_xpack', 200],
    ['HEAD', '/_index_template/logstash', 404],
    ['PUT', '/_index_template/logstash', 200],
    ['HEAD', '/_ilm/policy/logstash-policy', 404],
    ['PUT', '/_ilm/policy/logstash-policy', 200],
    ['HEAD', '/logstash', 200],
    ['PUT', '/%3Clogstash-%7Bnow%2Fd%7D-000001%3E', 200],
  ],
  Vector: [
    ['GET', '/', 200],
    ['GET', '/_cluster/health', 200],
  ],
  'older versions': [
    ['GET', '/_xpack/license', 200],
    ['PUT', '/_template/logs', 200],
    ['HEAD', '/_template/logs', 404],
    ['GET', '/_cat/health', 200],
    ['POST', '/_aliases', 200],
    ['GET', '/_component_template/a', 404],
    ['PUT', '/_component_template/a', 200],
    ['POST', '/logs/_refresh', 200],
    ['DELETE', '/_template/logs', 404],
    ['GET', '/_something/else', 404],
  ],
};

test('the requests of shippers before they send get responses with which they continue', async () => {
  const telemetry = createTelemetry('ingest', 'error');
  const { logger, tracing } = telemetry;
  const memory = new MemoryBudget(1000);
  const settings = {
    INGEST_MAX_BODY_BYTES: 1000,
    INGEST_MAX_REQUEST_EVENTS: 1000,
    INGEST_MAX_EVENT_BYTES: 1000,
    INGEST_LOADTEST: true,
    INGEST_REQUEST_MS: 0,
  };
  const metrics = createMetrics(telemetry, memory);
  const state = { phase: 'ready', pipeline: {} as Pipeline } as const;
  const app = createHttpServer({
    receivers: httpReceivers,
    settings,
    state,
    memory,
    metrics,
    logger,
    tracing,
  });
  for (const [shipper, questions] of Object.entries(shippers))
    for (const [method, url, status] of questions) {
      const hasBody = method === 'PUT' || method === 'POST';
      const headers = { host: 'logs.example:4318', 'content-type': 'application/json' };
      const response = await app.inject({ method, url, headers, ...(hasBody && { payload: '{}' }) });
      const what = `${shipper}: ${method} ${url}`;
      assert.equal(response.statusCode, status, what);
      assert.equal(response.headers['x-elastic-product'], 'Elasticsearch', what);
      if (method === 'HEAD') continue;
      const json = response.json<{ acknowledged?: boolean; status?: number }>();
      if (method === 'PUT') assert.equal(json.acknowledged, true, what);
      if (status === 404) assert.equal(json.status, 404, what);
    }
  const root = (await app.inject('/')).json<{ version: { number: string }; tagline: string }>();
  assert.match(root.version.number, /^9\.\d+\.\d+$/);
  assert.equal(root.tagline, 'You Know, for Search');
  const license = (await app.inject('/_license')).json<{ license: object }>().license;
  assert.deepEqual(license, { ...license, status: 'active', type: 'basic' });
  const sniffed = await app.inject({ url: '/_nodes/_all/http', headers: { host: 'logs.example:4318' } });
  const { nodes } = sniffed.json<{ nodes: Record<string, { http: { publish_address: string } }> }>();
  assert.deepEqual(
    Object.values(nodes).map(({ http }) => http.publish_address),
    ['logs.example:4318'],
  );
  await app.close();
});
