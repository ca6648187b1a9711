import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpReceivers } from './http-receivers.ts';
import { syslogFrame } from './receivers/syslog.ts';

const line = (n: number, service = 'shop'): string =>
  JSON.stringify({
    timestamp: '2026-01-01T00:00:00.001Z',
    service,
    level: n === 2 ? 'error' : 'info',
    message: `m${n}`,
    correlationId: 'c',
    attributes: { size: 1.5, tags: ['a', true, null] },
    loadtest: { run: 'r', n },
  });
const body = (receiver: keyof typeof httpReceivers, ...lines: string[]): string =>
  httpReceivers[receiver].bodyOf(lines);

test('a bulk request creates a document for each event, and says which were refused', () => {
  const [action, document, ...more] = body('elasticsearch', line(1), line(2)).split('\n');
  assert.deepEqual(JSON.parse(action!), { create: { _index: 'loadtest' } });
  assert.equal(document, line(1));
  assert.equal(more.length, 3);
  const { fateOf } = httpReceivers.elasticsearch;
  const text = '{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":400}}]}';
  assert.deepEqual(fateOf({ status: 200, text }), { fate: 'stored', rejected: [2] });
  assert.equal(fateOf({ status: 413, text: '' }), undefined);
});

test("Loki's streams are those of a service and a level, and the line is the event", () => {
  const { streams } = JSON.parse(body('loki', line(1), line(2), line(3))) as {
    streams: { stream: object; values: [string, string][] }[];
  };
  assert.deepEqual(
    streams.map(({ stream, values }) => [stream, values.map(([, text]) => text)]),
    [
      [{ service_name: 'shop', level: 'info' }, [line(1), line(3)]],
      [{ service_name: 'shop', level: 'error' }, [line(2)]],
    ],
  );
  assert.equal(streams[0]!.values[0]![0], '1767225600001000000');
  const { fateOf } = httpReceivers.loki;
  assert.equal(fateOf({ status: 204, text: '' })?.fate, 'stored');
  // Which of them were refused it does not say.
  assert.equal(fateOf({ status: 400, text: '1 of 3 entries refused' })?.fate, 'unknown');
});

test('OTLP has a resource for each service, and attributes of their types', () => {
  const { resourceLogs } = JSON.parse(body('otlp', line(1), line(2, 'cart'), line(3))) as {
    resourceLogs: {
      resource: object;
      scopeLogs: [{ logRecords: { severityNumber: number; attributes: object[] }[] }];
    }[];
  };
  assert.deepEqual(
    resourceLogs.map(({ scopeLogs: [{ logRecords }] }) => logRecords.map((each) => each.severityNumber)),
    [[9, 9], [17]],
  );
  assert.deepEqual(resourceLogs[1]!.resource, {
    attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }],
  });
  const values = { values: [{ stringValue: 'a' }, { boolValue: true }, {}] };
  assert.deepEqual(resourceLogs[0]!.scopeLogs[0].logRecords[0]!.attributes, [
    { key: 'size', value: { doubleValue: 1.5 } },
    { key: 'tags', value: { arrayValue: values } },
    { key: 'correlationId', value: { stringValue: 'c' } },
    {
      key: 'loadtest',
      value: {
        kvlistValue: {
          values: [
            { key: 'run', value: { stringValue: 'r' } },
            { key: 'n', value: { intValue: '1' } },
          ],
        },
      },
    },
  ]);
  const { fateOf } = httpReceivers.otlp;
  assert.equal(fateOf({ status: 200, text: '{}' })?.fate, 'stored');
  assert.equal(
    fateOf({ status: 200, text: '{"partialSuccess":{"rejectedLogRecords":"1"}}' })?.fate,
    'unknown',
  );
});

test('JSON: each line that was refused, also where all were', () => {
  const { fateOf } = httpReceivers.json;
  const text = '{"accepted":1,"rejected":[{"line":2}]}';
  assert.deepEqual(fateOf({ status: 200, text }), { fate: 'stored', rejected: [2] });
  assert.deepEqual(fateOf({ status: 400, text }), { fate: 'stored', rejected: [2] });
  // A proxy's words.
  assert.equal(fateOf({ status: 400, text: '<html>' }), undefined);
  assert.throws(() => fateOf({ status: 200, text: '<html>' }), SyntaxError);
});

test('a syslog message is counted in bytes, and its header has no spaces in a name', () => {
  const text = line(2, 'my shöp');
  const frame = syslogFrame(text);
  const [, length, message] = /^(\d+) (.*)$/s.exec(frame)!;
  assert.equal(Number(length), Buffer.byteLength(message!));
  assert.equal(message, `<11>1 2026-01-01T00:00:00.001Z - my_sh_p - - - @cee:${text}`);
});
