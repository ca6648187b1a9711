import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  freeSyslogPort,
  readDeadLetters,
  readEvents,
  startForTest,
  temporaryFolder,
} from '../testing/ingest-harness.ts';

type Service = Awaited<ReturnType<typeof startForTest>>;

async function metric({ telemetry }: Service, name: string, labels: string): Promise<number> {
  const text = await telemetry.registry.getSingleMetricAsString(name);
  const line = text.split('\n').find((each) => each.startsWith(`${name}{${labels}`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const message = (service: string, n: string): string => `<14>1 2026-01-01T00:00:00Z h ${service} - - - ${n}`;
const many = 4_000;
const noisy = Array.from({ length: many }, (_, n) => JSON.stringify({ service: 'noisy', message: `n${n}` }));

test('a service over its quota is refused as a whole, item by item in bulk, and slows no other', async () => {
  using folder = temporaryFolder();
  {
    // So slow that no test machine pays the debt off.
    const env = { INGEST_SERVICE_QUOTAS: 'noisy=1, free-*=-', INGEST_SERVICE_EVENTS_PER_SECOND: '1000000' };
    await using service = await startForTest(folder.path, env);
    const send = async (path: string, body: string) => {
      const response = await fetch(service.address + path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-ndjson' },
      });
      return {
        status: response.status,
        after: response.headers.get('retry-after'),
        text: await response.text(),
      };
    };
    assert.equal((await send('/ingest', noisy.join('\n'))).status, 200, 'the burst may be overdrawn once');

    // 2,500 events: several slices, of which none may be stored.
    const others = Array.from({ length: 2_500 }, () => '{"service":"quiet","message":"never"}\nbroken');
    const over = await send('/ingest', `${others.join('\n')}\n${noisy[0]}`);
    assert.equal(over.status, 429);
    assert.ok(Number(over.after) > 1_000, 'it says when the debt is paid off');
    assert.match(over.text, /quota-exceeded.*the service noisy has sent more events/);
    for (const service of ['quiet', 'free-1'])
      assert.equal((await send('/ingest', JSON.stringify({ service, message: 'kept' }))).status, 200);

    const items = ['quiet', 'noisy'].map((name) => `{"index":{}}\n{"service":"${name}","message":"item"}\n`);
    const bulk = await send('/_bulk', items.join(''));
    const responses = (JSON.parse(bulk.text) as { items: { index: { status: number } }[] }).items;
    assert.deepEqual(
      [bulk.status, responses.map(({ index }) => index.status)],
      [200, [201, 429]],
      'clients repeat the items with 429',
    );
    assert.match(bulk.text, /es_rejected_execution_exception/);
    assert.equal((await send('/_bulk', items[1]!)).status, 429, 'nothing but what is over the quota');
    const value = [['1767225600000000000', 'line']];
    const loki = JSON.stringify({ streams: [{ stream: { service: 'noisy' }, values: value }] });
    const pushed = await fetch(`${service.address}/loki/api/v1/push`, {
      method: 'POST',
      body: loki,
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(pushed.status, 429);
    assert.equal(
      await metric(service, 'logloom_ingest_quota_refusals_total', 'by="service",receiver="http"'),
      1,
    );
    assert.equal(
      await metric(service, 'logloom_ingest_quota_refusals_total', 'by="service",receiver="elasticsearch"'),
      2,
    );
  }
  const kept = (await readEvents(folder.path)).filter(({ service }) => service !== 'noisy');
  assert.deepEqual(kept.map(({ message }) => message).sort(), ['item', 'kept', 'kept']);
  assert.deepEqual(await readDeadLetters(folder.path), []);
});

test('syslog over a quota: TCP is not read on, datagrams are dropped and counted; a drain takes all that was read', async () => {
  using folder = temporaryFolder();
  const port = await freeSyslogPort();
  const held = Array.from({ length: 3 }, (_, n) => message('noisy', `tcp ${n}`));
  let taken = 0;
  {
    const env = { SYSLOG_PORT: String(port), INGEST_SERVICE_QUOTAS: 'noisy=1' };
    await using service = await startForTest(folder.path, env);
    const events = (receiver: string) =>
      metric(service, 'logloom_ingest_events_total', `receiver="${receiver}"`);
    await fetch(`${service.address}/ingest`, {
      method: 'POST',
      body: noisy.join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    });

    const udp = createSocket('udp4');
    const dropped = () => metric(service, 'logloom_ingest_syslog_dropped_datagrams_total', 'where="quota"');
    for (const name of ['noisy', 'quiet', 'noisy', 'quiet'])
      udp.send(message(name, 'udp'), port, '127.0.0.1');
    await eventually('the datagrams are taken or dropped', async () => {
      taken = await events('syslog-udp');
      return taken + (await dropped()) === 4;
    });
    assert.equal(taken, 2);
    udp.close();

    const slow = connect(port, '127.0.0.1').resume();
    slow.write(`${held.join('\n')}\n`);
    await eventually(
      'the connection waits',
      async () =>
        (await metric(service, 'logloom_ingest_quota_refusals_total', 'by="service",receiver="syslog-tcp"')) >
        0,
    );
    const other = connect(port, '127.0.0.1').resume();
    other.end(`${message('quiet', 'tcp')}\n`);
    await once(other, 'close');
    await eventually('another connection is not slowed', async () => (await events('syslog-tcp')) === 1);
    slow.on('end', () => slow.end());
    await service.drain();
    assert.ok((await metric(service, 'logloom_ingest_syslog_held_seconds_total', 'service=')) > 0);
  }
  const messages = (await readEvents(folder.path)).map(({ message }) => message);
  assert.deepEqual(messages.filter((text) => /^(tcp|udp)/.test(text)).sort(), [
    'tcp',
    'tcp 0',
    'tcp 1',
    'tcp 2',
    'udp',
    'udp',
  ]);
});

test('where no key is asked for, an address has a quota, over HTTP and syslog alike, and so many connections', async () => {
  using folder = temporaryFolder();
  const port = await freeSyslogPort();
  const env = {
    SYSLOG_PORT: String(port),
    INGEST_ADDRESS_EVENTS_PER_SECOND: '1',
    INGEST_ADDRESS_BYTES_PER_SECOND: '1000000',
    INGEST_ADDRESS_CONNECTIONS: '2',
  };
  await using service = await startForTest(folder.path, env);
  const post = (body: string) =>
    fetch(`${service.address}/ingest`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-ndjson', connection: 'close' },
    });
  assert.equal((await post(noisy.join('\n'))).status, 200);
  const over = await post(noisy[0]!);
  assert.deepEqual([over.status, Number(over.headers.get('retry-after')) > 1000], [429, true]);
  assert.match(await over.text(), /the address 127\.0\.0\.1 has sent more events than its quota/);
  const udp = createSocket('udp4');
  udp.send(message('quiet', 'udp'), port, '127.0.0.1');
  await eventually(
    'the datagram is dropped',
    async () =>
      (await metric(service, 'logloom_ingest_syslog_dropped_datagrams_total', 'where="quota"')) === 1,
  );
  udp.close();

  const httpPort = Number(new URL(service.address).port);
  for (const [portNumber, refused] of [
    [port, 'logloom_ingest_syslog_refused_connections_total'],
    [httpPort, 'logloom_ingest_http_refused_connections_total'],
  ] as const) {
    const before = await metric(service, refused, 'service=');
    const sockets = [1, 2].map(() => connect(portNumber, '127.0.0.1').resume());
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await eventually('a third is refused', async () => {
      const third = connect(portNumber, '127.0.0.1').resume();
      third.on('error', () => {});
      await Promise.race([once(third, 'close'), sleep(200)]);
      third.destroy();
      return (await metric(service, refused, 'service=')) > before;
    });
    for (const socket of sockets) socket.destroy();
  }
});

test('HTTP connections have a number, and a request has a time to arrive', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path, {
    INGEST_MAX_CONNECTIONS: '1',
    INGEST_REQUEST_MS: '500',
  });
  const port = Number(new URL(service.address).port);
  const slow = connect(port, '127.0.0.1');
  let response = '';
  slow.on('data', (bytes: Buffer) => (response += bytes.toString()));
  await once(slow, 'connect');
  slow.write('POST /ingest HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{');
  const second = connect(port, '127.0.0.1').resume();
  second.on('error', () => {});
  await once(second, 'close');
  assert.equal(await metric(service, 'logloom_ingest_http_refused_connections_total', 'service='), 1);
  await once(slow, 'close');
  assert.match(response, /^HTTP\/1\.1 (408|400)/);
});
