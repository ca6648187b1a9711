import { Client } from '@elastic/elasticsearch';
import { eventually } from '@logloom/testing';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { Client as Client8 } from 'elasticsearch-8';
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Pipeline } from '../pipeline/pipeline.ts';
import { assertLines, findAll, firstMillis, lineCount } from './lines.ts';
import { logWithOpenTelemetry, sendWithElasticsearch } from './node-clients.ts';
import { hasRsyslog, requestOf, shipWithRsyslog, syslogLevels } from './rsyslog.ts';

const run = promisify(execFile);

/** Runs one of the Python programs beside this file. */
async function python(program: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  await run('python3', [join(import.meta.dirname, program), ...args], { env: { ...process.env, ...env } });
}

function skipWithout(module: string): false | string {
  return spawnSync('python3', ['-c', `import ${module}`]).status === 0
    ? false
    : `no Python package ${module}`;
}

const withOpenTelemetry = { skip: skipWithout('opentelemetry.exporter.otlp.proto.http._log_exporter') };
const withElasticsearch = { skip: skipWithout('elasticsearch') };
const withRsyslog = { skip: hasRsyslog ? false : 'no rsyslog with omelasticsearch' };

test(`real clients, each as its documentation starts it: ${lineCount} lines are found as they were sent`, async (t) => {
  await using pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '500' });
  await pipeline.start();
  const address = pipeline.ingestUrl;
  const all = async (service: string): Promise<void> => {
    await eventually(`every line of ${service} found`, async () => {
      const { total } = await pipeline.get<{ total: { value: number } }>(
        `/api/search?q=service:${service}&limit=1`,
      );
      return total.value >= lineCount;
    });
  };
  const check = async (service: string): Promise<void> => {
    await all(service);
    await assertLines(pipeline, service);
  };

  await t.test('OpenTelemetry SDK for Node, protobuf', async () => {
    await logWithOpenTelemetry(new ProtobufExporter({ url: `${address}/v1/logs` }), 'otel-node-protobuf');
    await check('otel-node-protobuf');
  });
  await t.test('OpenTelemetry SDK for Node, JSON', async () => {
    await logWithOpenTelemetry(new JsonExporter({ url: `${address}/v1/logs` }), 'otel-node-json');
    await check('otel-node-json');
  });
  await t.test('OpenTelemetry SDK for Python', withOpenTelemetry, async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: address };
    await python('otel-python.py', [String(lineCount), 'otel-python'], env);
    await check('otel-python');
  });
  await t.test('Elasticsearch client for Node, 9', async () => {
    await sendWithElasticsearch(new Client({ node: address }), 'elasticsearch-node-9');
    await check('elasticsearch-node-9');
  });
  await t.test('Elasticsearch client for Node, 8', async () => {
    const client = new Client8({ node: address }) as unknown as Client;
    await sendWithElasticsearch(client, 'elasticsearch-node-8');
    await check('elasticsearch-node-8');
  });
  await t.test('Elasticsearch client for Python', withElasticsearch, async () => {
    await python('elasticsearch-python.py', [address, String(lineCount), 'elasticsearch-python']);
    await check('elasticsearch-python');
  });
  await t.test('rsyslog with omelasticsearch', withRsyslog, async () => {
    const port = Number(new URL(address).port);
    await shipWithRsyslog(pipeline.dataFolder, port, 'rsyslog', firstMillis, () => all('rsyslog'));
    const found = await findAll(pipeline, 'rsyslog');
    assert.equal(found.length, lineCount);
    for (const [i, event] of found.entries()) {
      assert.deepEqual(
        [event.message, event.level, event.host, event.correlationId, event.attributes['_index']],
        [`line ${i} [${requestOf(i)}]`, syslogLevels[i % 8], 'h1', requestOf(i), 'syslog-index'],
      );
      assert.equal(Date.parse(event.timestamp), firstMillis + i);
    }
  });
});
