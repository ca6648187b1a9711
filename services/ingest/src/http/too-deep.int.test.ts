import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';
import { protobufField } from './protobuf-reader.ts';

const depth = 10_000;
const nested = (open: string, inner: string, close: string): string =>
  open.repeat(depth) + inner + close.repeat(depth);
const good = '{"body":{"stringValue":"good"}}';

/** Values with a number that a parser keeps whole, and with one that it has to look at as text. */
const values = ['1', '12345678901234567890'].flatMap((number) => [
  nested('{"arrayValue":{"values":[', `{"intValue":"${number}"}`, ']}}'),
  nested('{"kvlistValue":{"values":[{"key":"a","value":', `{"intValue":${number}}`, '}]}}'),
]);

test('an event nested 10,000 deep costs nothing but itself, at every receiver', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const post = async (path: string, body: string | Buffer, type: string) => {
    const headers = { 'content-type': type };
    const response = await fetch(service.address + path, { method: 'POST', headers, body: body as string });
    return { status: response.status, text: await response.text() };
  };
  let goodOnes = 0;
  const rejectedOne = async (records: string, wrap = (logs: string) => `{"resourceLogs":[${logs}]}`) => {
    const logs = `{"scopeLogs":[{"logRecords":[${records}]}]}`;
    const { status, text } = await post('/v1/logs', wrap(logs), 'application/json');
    assert.deepEqual(
      [status, /"rejectedLogRecords":"1".*too-deep/.test(text)],
      [200, true],
      text.slice(0, 300),
    );
    goodOnes++;
  };
  for (const value of values) {
    await rejectedOne(`${good},{"body":${value}}`);
    await rejectedOne(`{"attributes":[{"key":"a","value":${value}}]},${good}`);
    const resource = `"resource":{"attributes":[{"key":"a","value":${value}}]}`;
    const other = `{${resource},"scopeLogs":[{"logRecords":[${good}]}]}`;
    await rejectedOne(good, (logs) => `{"resourceLogs":[${logs},${other}]}`);
  }
  for (const number of ['1', '12345678901234567890']) {
    const deep = nested('{"a":', number, '}');
    const lines = await post('/ingest', `{"message":"good"}\n{"m":${deep}}`, 'application/x-ndjson');
    const array = await post('/ingest', `[{"m":${deep}},{"message":"good"}]`, 'application/json');
    for (const { status, text } of [lines, array])
      assert.deepEqual([status, /"accepted":1,.*too-deep/.test(text)], [200, true], text.slice(0, 300));
    const items = `{"create":{}}\n{"message":"good"}\n{"create":{}}\n{"m":${deep}}\n`;
    const bulk = await post('/_bulk', items, 'application/x-ndjson');
    assert.deepEqual([bulk.status, bulk.text.includes('too-deep')], [200, true]);
    const entries = `["1700000000000000000","good"],["1700000000000000000","bad",${deep}]`;
    const push = `{"streams":[{"stream":{"a":"b"},"values":[${entries}]}]}`;
    assert.match((await post('/loki/api/v1/push', push, 'application/json')).text, /^1 of 2 entries refused/);
    goodOnes += 4;
  }
  let value = protobufField(1, Buffer.from('bad'));
  for (let i = 0; i < depth / 2; i++) value = protobufField(5, protobufField(1, value));
  const record = (body: Buffer): Buffer => protobufField(2, protobufField(5, body));
  const records = Buffer.concat([record(protobufField(1, Buffer.from('good'))), record(value)]);
  const body = protobufField(1, protobufField(2, records));
  const result = await post('/v1/logs', body, 'application/x-protobuf');
  assert.deepEqual([result.status, result.text.includes('too-deep')], [200, true]);
  goodOnes++;
  await service.drain();
  const messages = (await readEvents(folder.path)).map(({ message }) => message);
  assert.deepEqual(messages, Array<string>(goodOnes).fill('good'));
  assert.ok((await readDeadLetters(folder.path)).length > 0);
});
