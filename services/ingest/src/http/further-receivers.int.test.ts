import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeadLetters, readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

async function post(url: string, body: string | Buffer, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return { status: response.status, text: await response.text() };
}

const seconds = 1_767_225_600;
const fieldsOf = ({
  timestamp,
  level,
  service,
  host,
  message,
}: Awaited<ReturnType<typeof readEvents>>[number]) => ({
  timestamp,
  level,
  service,
  host,
  message,
});

test("Splunk's collector: events, raw lines, acknowledgements, and what is refused", async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    const at = `${service.address}/services/collector`;
    const meta = { time: seconds + 0.123, host: 'h1', source: 'pay', sourcetype: '_json', index: 'main' };
    const events: object[] = [
      { ...meta, event: { message: 'an object', level: 'error', n: 1 }, fields: { region: 'eu' } },
      {
        ...meta,
        time: String(seconds),
        source: '/var/log/x',
        event: 'a text',
        fields: { constructor: 'c', toString: 's' },
      },
    ];
    const channel = { 'x-splunk-request-channel': 'c1' };
    const sent = await post(`${at}/event`, events.map((event) => JSON.stringify(event)).join(''), channel);
    assert.deepEqual([sent.status, JSON.parse(sent.text)], [200, { text: 'Success', code: 0, ackId: 0 }]);
    const acks = await post(`${at}/ack`, '{"acks":[0,1]}', channel);
    assert.deepEqual(JSON.parse(acks.text), { acks: { '0': true, '1': false } });
    const raw = await post(
      `${at}/raw?source=web&host=h2`,
      '2026-01-01T00:00:05Z ERROR raw one\n{"msg":"raw two"}\n',
    );
    assert.deepEqual([raw.status, JSON.parse(raw.text)], [200, { text: 'Success', code: 0 }]);
    const partly = await post(at, '{"event":"good beside it"}{"no":"event"}');
    assert.equal(partly.status, 400);
    assert.match(partly.text, /1 of 2 events refused: empty-event/);
    assert.equal((await post(at, '{"event":')).status, 400);
    assert.equal((await post(at, '')).status, 400);
    assert.equal((await fetch(`${at}/health`)).status, 200);
  }
  const events = await readEvents(folder.path);
  const found = new Map(events.map((event) => [event.message, event]));
  assert.deepEqual(fieldsOf(found.get('an object')!), {
    timestamp: seconds * 1e6 + 123_000,
    level: 'error',
    service: 'pay',
    host: 'h1',
    message: 'an object',
  });
  assert.deepEqual(JSON.parse(found.get('an object')!.attributes), {
    n: 1,
    region: 'eu',
    source: 'pay',
    sourcetype: '_json',
    index: 'main',
  });
  assert.deepEqual([found.get('a text')!.timestamp, found.get('a text')!.host], [seconds * 1e6, 'h1']);
  const fields = new Map(Object.entries(JSON.parse(found.get('a text')!.attributes) as object));
  assert.deepEqual(
    [fields.get('constructor'), fields.get('toString')],
    ['c', 's'],
    'names that every object has are fields too',
  );
  assert.deepEqual([found.get('raw two')!.service, found.get('raw two')!.host], ['web', 'h2']);
  const one = events.find(({ message }) => message.includes('raw one'))!;
  assert.deepEqual([one.level, one.timestamp, one.service], ['error', (seconds + 5) * 1e6, 'web']);
  assert.equal(events.length, 5);
  assert.deepEqual(
    (await readDeadLetters(folder.path)).map(({ code }) => code),
    ['empty-event'],
  );
});

test("Datadog's logs, with tags and the address's parameters", async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    const logs = [
      {
        message: 'card refused',
        status: 'error',
        service: 'pay',
        hostname: 'h1',
        ddtags: 'env:prod,canary',
        timestamp: seconds * 1000,
      },
      { message: 'from the library' },
    ];
    const at = `${service.address}/api/v2/logs?ddsource=nodejs&service=shop`;
    assert.deepEqual(await post(at, JSON.stringify(logs)), { status: 202, text: '{}' });
    assert.equal((await post(at, '[{"message":"x"')).status, 400);
    assert.equal((await post(at, '{}')).status, 202, 'the agent looks whether it can send');
    assert.equal((await fetch(`${service.address}/api/v1/validate`)).status, 200);
  }
  const [first, second] = (await readEvents(folder.path)).sort((a, b) => (a.message < b.message ? -1 : 1));
  assert.deepEqual(fieldsOf(first!), {
    timestamp: seconds * 1e6,
    level: 'error',
    service: 'pay',
    host: 'h1',
    message: 'card refused',
  });
  assert.deepEqual(JSON.parse(first!.attributes), {
    ddtags: { env: 'prod', canary: true },
    ddsource: 'nodejs',
  });
  assert.equal(second!.service, 'shop');
});

test("journald's export format, with binary fields", async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    const binary = Buffer.from('two\nlines');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(binary.length));
    const body = Buffer.concat([
      Buffer.from(
        `__REALTIME_TIMESTAMP=${seconds}000123\n_HOSTNAME=h1\nSYSLOG_IDENTIFIER=sshd\nPRIORITY=3\nMESSAGE=no entry\n\n`,
      ),
      Buffer.from(`__REALTIME_TIMESTAMP=${seconds}000456\nPRIORITY=6\nMESSAGE\n`),
      length,
      binary,
      Buffer.from('\n\n'),
    ]);
    const type = { 'content-type': 'application/vnd.fdo.journal' };
    assert.deepEqual(await post(`${service.address}/upload`, body, type), { status: 202, text: 'OK.\n' });
    assert.equal((await post(`${service.address}/upload`, body.subarray(0, -5), type)).status, 400);
  }
  const events = await readEvents(folder.path);
  assert.equal(events.length, 2);
  const [first, second] = events.sort((a, b) => a.timestamp - b.timestamp);
  assert.deepEqual(fieldsOf(first!), {
    timestamp: seconds * 1e6 + 123,
    level: 'error',
    service: 'sshd',
    host: 'h1',
    message: 'no entry',
  });
  assert.equal(second!.message, 'two\nlines');
});

test('pushes of before Loki 1.0', async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    const entries = [{ ts: '2026-01-01T00:00:00.123Z', line: 'level=warn old' }];
    const body = JSON.stringify({ streams: [{ labels: '{app="pay", host="h1"}', entries }] });
    const type = { 'content-type': 'application/json' };
    assert.equal((await post(`${service.address}/api/prom/push`, body, type)).status, 204);
  }
  const [event] = await readEvents(folder.path);
  assert.deepEqual(fieldsOf(event!), {
    timestamp: seconds * 1e6 + 123_000,
    level: 'warn',
    service: 'pay',
    host: 'h1',
    message: 'level=warn old',
  });
});

test("an action of Elasticsearch's bulk requests with a client's own member beside it", async () => {
  using folder = temporaryFolder();
  {
    await using service = await startForTest(folder.path);
    const body = '{"index":{"_index":"logs","pipeline":null},"attempts":0}\n{"message":"winston"}\n';
    const { status, text } = await post(`${service.address}/_bulk`, body);
    assert.deepEqual([status, (JSON.parse(text) as { errors: boolean }).errors], [200, false]);
    const two = '{"index":{},"create":{}}\n{"message":"two"}\n';
    assert.equal((await post(`${service.address}/_bulk`, two)).status, 400);
  }
  assert.deepEqual(
    (await readEvents(folder.path)).map(({ message }) => message),
    ['winston'],
  );
});

test('what is far too large for an event is refused unread, and kept as it came', async () => {
  using folder = temporaryFolder();
  const entry = 'a=b\n'.repeat(1_200_000);
  {
    await using service = await startForTest(folder.path);
    const body = `MESSAGE=beside it\n\n${entry}\n`;
    const { status, text } = await post(`${service.address}/upload`, body, { 'content-type': 'text/plain' });
    assert.deepEqual([status, /event-too-large/.test(text)], [400, true]);
    const lines = `{"message":"a \\"quoted\\\\"}\n{"message":"${'\\\\'.repeat(200_000)}"}`;
    assert.equal((await post(`${service.address}/gelf`, lines)).status, 202);
    const blank = `first\n${'\n'.repeat(300_000)}last`;
    assert.equal((await post(`${service.address}/services/collector/raw`, blank)).status, 200);
  }
  const messages = (await readEvents(folder.path)).map(({ message }) => message.slice(0, 20)).sort();
  assert.deepEqual(messages, ['\\'.repeat(20), 'a "quoted\\', 'beside it', 'first', 'last']);
  const [letter] = await readDeadLetters(folder.path);
  assert.equal(letter!.code, 'event-too-large');
  assert.ok(entry.startsWith(Buffer.from(letter!.payload).toString().slice(1, 1000)));
});
