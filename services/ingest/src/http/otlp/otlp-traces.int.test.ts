import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestCost } from '../../admission/request-cost.ts';
import { Normalizer } from '../../event/normalize.ts';
import { readDeadLetter } from '../../raw/read-dead-letter.ts';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../../testing/ingest-harness.ts';
import { protobufField } from '../protobuf-reader.ts';

const good = {
  traceId: 'AB'.repeat(16),
  spanId: '01'.repeat(8),
  name: 'charge',
  kind: 'SPAN_KIND_CLIENT',
  startTimeUnixNano: '1767225600000000000',
  endTimeUnixNano: '1767225600000001500',
  attributes: [{ key: 'request_id', value: { stringValue: 'r-1' } }],
  links: [{ traceId: 'cd'.repeat(16), spanId: '02'.repeat(8) }],
};

const traces = (spans: unknown[]) => ({
  resourceSpans: [
    {
      resource: {
        attributes: [
          { key: 'service.name', value: { stringValue: 'pay' } },
          { key: 'host.name', value: { stringValue: 'h1' } },
        ],
      },
      scopeSpans: [{ scope: { name: 'tracer' }, spans }],
    },
  ],
});

async function post(address: string, body: unknown, type = 'application/json') {
  const response = await fetch(`${address}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

test('spans in JSON become events with their duration; a broken one is refused alone and can be redriven', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    assert.deepEqual(await post(service.address, traces([good])), { status: 200, text: '{}' });
    const { status, text } = await post(service.address, traces([{ ...good, attributes: 5 }, good]));
    assert.equal(status, 200);
    assert.equal(
      (JSON.parse(text) as { partialSuccess: object }).partialSuccess['rejectedSpans' as never],
      '1',
    );
    const protobuf = protobufField(1, protobufField(2, protobufField(2, Buffer.from([0x0b]))));
    assert.equal((await post(service.address, protobuf, 'application/x-protobuf')).status, 200);
    assert.equal((await post(service.address, { resourceSpans: 1 })).status, 400);
  }
  const [event, ...others] = await readEvents(folder.path);
  assert.equal(others.length, 1);
  const { timestamp, level, message, service, host, traceId, correlationId } = event!;
  assert.deepEqual(
    [timestamp, level, message, service, host, traceId, correlationId],
    [1_767_225_600_000_000, 'info', 'charge', 'pay', 'h1', 'ab'.repeat(16), 'ab'.repeat(16)],
  );
  assert.deepEqual(JSON.parse(event!.attributes), {
    requestId: 'r-1',
    eventKind: 'span',
    spanName: 'charge',
    spanKind: 'client',
    durationMs: 0.001,
    spanLinks: [{ traceId: 'cd'.repeat(16), spanId: '02'.repeat(8), attributes: {} }],
    scope: { name: 'tracer' },
  });
  const letters = await readDeadLetters(folder.path);
  assert.deepEqual(letters.map(({ code }) => code).sort(), ['bad-protobuf', 'wrong-shape']);
  const source = { kind: 'http', topic: 'a', partition: 0, offset: 0, index: 0 };
  for (const { payload, code } of letters) {
    const group = readDeadLetter(
      Buffer.from(payload),
      new Normalizer([]),
      RequestCost.ofRecord(2 ** 20, 2 ** 24),
    );
    assert.equal(group?.records.length, 1);
    assert.throws(() => group.toEvent(group.records[0], source, 0), { code });
  }
});
