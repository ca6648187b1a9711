import { Client } from '@elastic/elasticsearch';
import { Client as Client8 } from 'elasticsearch-8';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../../testing/ingest-harness.ts';

/** A document with ECS names, as Elastic's own shippers and loggers write them. */
const document = {
  '@timestamp': '2026-01-01T00:00:00.123456Z',
  'log.level': 'error',
  message: 'card refused',
  service: { name: 'checkout', version: '1.2' },
  host: { name: 'h1', os: { type: 'linux' } },
  trace: { id: '4bf92f3577b34da6a3ce929d0e0e4736' },
  span: { id: '00f067aa0ba902b7' },
  http: { response: { status_code: 502 } },
  labels: { tenant: 'a' },
};

/** Nested deeper than an event may be. */
const deep = JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) as unknown;

for (const [version, Elasticsearch] of [
  [8, Client8],
  [9, Client],
] as const)
  test(`the official client for Node, version ${version}`, async () => {
    using folder = temporaryFolder();
    {
      await using service = await startForTest(folder.path);
      const client = new Elasticsearch({
        node: service.address,
        compression: true,
        sniffOnStart: true,
        maxRetries: 0,
      }) as Client;
      assert.equal((await client.info()).cluster_name, 'logloom');
      assert.equal(await client.ping(), true);
      assert.equal(await client.indices.exists({ index: 'logs-web' }), true);
      assert.equal((await client.indices.create({ index: 'logs-web' })).acknowledged, true);
      assert.equal((await client.cluster.health()).status, 'green');
      assert.equal((await client.license.get()).license.status, 'active');
      assert.equal(await client.indices.existsIndexTemplate({ name: 'logs' }), false);
      assert.ok(
        (await client.indices.putIndexTemplate({ name: 'logs', index_patterns: ['a'] })).acknowledged,
      );
      const result = await client.helpers.bulk({
        datasource: [document, { ...document, message: 'two' }],
        onDocument: () => ({ create: { _index: 'logs-web' } }),
      });
      assert.deepEqual([result.successful, result.failed], [2, 0]);
      const bulk = await client.bulk({
        index: 'logs-web',
        operations: [
          { index: { _id: 'id-1', routing: 'r' } },
          { message: 'good' },
          { create: {} },
          { message: 'bad', deep },
          { update: { _id: 'id-2' } },
          { doc: { a: 1 } },
          { delete: { _id: 'id-3' } },
          { create: { _index: 'other' } },
          { message: 'good too', level: 4 },
        ],
      });
      assert.equal(bulk.errors, true);
      const items = bulk.items.map((item) => Object.entries(item)[0]!);
      assert.deepEqual(
        items.map(([action, { status, error, _index, result: done }]) => [
          action,
          status,
          error?.type,
          _index,
          done,
        ]),
        [
          ['index', 201, undefined, 'logs-web', 'created'],
          ['create', 400, 'document_parsing_exception', 'logs-web', undefined],
          ['update', 400, 'action_request_validation_exception', 'logs-web', undefined],
          ['delete', 400, 'action_request_validation_exception', 'logs-web', undefined],
          ['create', 201, undefined, 'other', 'created'],
        ],
      );
      assert.match(items[1]![1].error!.reason!, /^too-deep: /);
      assert.equal(items[0]![1]._id, 'id-1');
      const one = await client.index({ index: 'logs-web', document: { message: 'single' } });
      assert.equal(one.result, 'created');
      await assert.rejects(client.index({ index: 'logs-web', document: { deep } }), {
        statusCode: 400,
      });
    }
    const events = (await readEvents(folder.path)).sort((a, b) => a.source.offset - b.source.offset);
    assert.deepEqual(
      events.map(({ message }) => message),
      ['card refused', 'two', 'good', 'good too', 'single'],
    );
    const { source, receivedAt, at, attributes, ...fields } = events[0]!;
    assert.ok(source.kind === 'http' && receivedAt > 0 && at.offset >= 0);
    assert.deepEqual(
      { ...fields },
      {
        timestamp: Date.UTC(2026, 0, 1) * 1000 + 123_456,
        level: 'error',
        service: 'checkout',
        host: 'h1',
        message: 'card refused',
        spanId: '00f067aa0ba902b7',
        traceId: document.trace.id,
        correlationId: document.trace.id,
        correlationKind: 'traceId',
      },
    );
    assert.deepEqual(JSON.parse(attributes), {
      service: { version: '1.2' },
      host: { os: { type: 'linux' } },
      http: { response: { status_code: 502 } },
      labels: { tenant: 'a' },
      _index: 'logs-web',
    });
    assert.deepEqual(JSON.parse(events[2]!.attributes), { _index: 'logs-web', _id: 'id-1', _routing: 'r' });
    const deadLetters = (await readDeadLetters(folder.path)).sort(
      (a, b) => a.source.offset - b.source.offset,
    );
    assert.deepEqual(
      deadLetters.map(({ code, payload }) => [code, JSON.parse(payload.toString()) as unknown]),
      [
        ['too-deep', { message: 'bad', deep }],
        ['unsupported-action', { doc: { a: 1 } }],
        ['unsupported-action', { delete: { _id: 'id-3' } }],
        ['too-deep', { deep }],
      ],
    );
  });

test('what a bulk request can be, and what none is', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path, { INGEST_MAX_EVENT_BYTES: '1000' });
    const send = async (path: string, body: string | Buffer, headers: Record<string, string> = {}) => {
      const response = await fetch(service.address + path, {
        method: 'PUT',
        body: body as string,
        headers: { 'content-type': 'application/x-ndjson', ...headers },
      });
      assert.equal(response.headers.get('x-elastic-product'), 'Elasticsearch');
      return {
        status: response.status,
        headers: response.headers,
        json: (await response.json()) as ResponseBody,
      };
    };
    const action = '{"create":{}}';
    const good = `${action}\n{"message":"good"}\n`;
    const compatible = 'application/vnd.elasticsearch+x-ndjson; compatible-with=8';
    const sent = await send('/logs/_bulk', gzipSync(good.repeat(3)), {
      'content-type': compatible,
      'content-encoding': 'gzip',
      accept: 'application/vnd.elasticsearch+json; compatible-with=8',
    });
    assert.deepEqual([sent.status, sent.json.errors, sent.json.items!.length], [200, false, 3]);
    assert.equal(sent.headers.get('content-type'), 'application/vnd.elasticsearch+json;compatible-with=8');
    const large = `${action}\n{"message":"${'x'.repeat(1000)}"}\n`;
    const notUtf8 = Buffer.concat([Buffer.from(`${action}\n{"a":"`), Buffer.from([0xff, 0x22, 0x7d, 0x0a])]);
    const mixed = await send(
      '/_bulk',
      Buffer.concat([good, large, notUtf8, good].map((p) => Buffer.from(p))),
    );
    assert.deepEqual(
      mixed.json.items!.map(({ create }) => create!.status),
      [201, 413, 400, 201],
    );
    const blank = await send('/_bulk', `\n${good}\n${action}\n \n${good}`);
    assert.deepEqual(
      blank.json.items!.map(({ create }) => create!.status),
      [201, 400, 201],
    );
    const failed = async (status: number, code: string, body: string, headers = {}) => {
      const { json, ...rest } = await send('/_bulk', body, headers);
      assert.deepEqual([rest.status, json.status], [status, status]);
      assert.ok(json.error!.reason.startsWith(`${code}: `), json.error!.reason);
    };
    await failed(400, 'bad-json', `${good}nonsense\n{}\n`);
    await failed(400, 'wrong-shape', `${good}{"message":"no action"}\n{}\n`);
    await failed(400, 'wrong-shape', `${good}${action}\n`);
    await failed(400, 'empty-body', '\n');
    await failed(415, 'unsupported-type', good, { 'content-type': 'application/cbor' });
    assert.equal((await send('/_search', '{}')).status, 404);
    assert.equal((await fetch(`${service.address}/ingest`, { method: 'HEAD' })).status, 405);
  }
  assert.equal((await readEvents(folder.path)).length, 7);
});

interface ResponseBody {
  errors?: boolean;
  items?: Record<string, { status: number }>[];
  error?: { reason: string };
  status?: number;
}
