import type { LogRecord } from '@logloom/event-log';
import { createEmbeddedSchemaRegistry, createSerde, openSchemaRegistry } from '@logloom/schema-registry';
import { logEvent } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { decodeRecords } from './decode-records.ts';
import { eventsStream } from './events-stream.ts';

test('a service that is to stop decodes what comes while its viewers leave', async () => {
  const serde = await createSerde(createEmbeddedSchemaRegistry());
  const decoded = await decodeRecords(
    eventsStream,
    'epoch',
    serde,
    [
      {
        topic: 'logs.events',
        partition: 0,
        offset: 7,
        timestampMs: 0,
        key: null,
        value: serde.encode('LogEvent', logEvent(1)),
        headers: {},
      },
    ],
    {
      undecodable: (_, error) => assert.fail(error),
      retrying: (error) => assert.fail(error),
      signal: AbortSignal.abort(),
    },
  );
  assert.deepEqual(
    decoded.map(({ offset, item }) => [offset, item !== undefined]),
    [[7, true]],
  );
});

test('while a schema cannot be read it is tried again, until the service is to stop', async () => {
  const registry = createServer((request, response) => {
    // Requests for the schema of a record get no response.
    if (request.url!.startsWith('/schemas/ids/')) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: 1, compatibilityLevel: 'FULL_TRANSITIVE' }));
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const { port } = registry.address() as AddressInfo;
  const serde = await createSerde(await openSchemaRegistry({ url: `http://127.0.0.1:${port}` }));
  const record: LogRecord = {
    topic: 'logs.events',
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: null,
    value: Buffer.from([0, 0, 0, 0, 99, 1]),
    headers: {},
  };
  const stop = new AbortController();
  let retries = 0;
  const decoding = decodeRecords(eventsStream, 'epoch', serde, [record], {
    undecodable: (_, error) => assert.fail(error),
    retrying: () => {
      retries++;
      stop.abort();
    },
    signal: stop.signal,
  });
  await assert.rejects(decoding, { name: 'AbortError' });
  assert.equal(retries, 1);
  registry.closeAllConnections();
  registry.close();
});
