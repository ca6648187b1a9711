import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import winston from 'winston';
import { LogloomTransport } from './index.js';

test('an error that is logged keeps its text and stack, whatever the format and wherever it stands', async () => {
  const lines: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      for (const line of body.split('\n')) lines.push(JSON.parse(line) as Record<string, unknown>);
      response.end('{"accepted":1,"rejected":[]}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const error = Object.assign(new TypeError('it broke', { cause: new Error('no disk') }), { code: 'E1' });
  for (const format of [undefined, winston.format.errors({ stack: true })]) {
    const transport = new LogloomTransport({ url, gzip: false, lingerMs: 1 });
    const logger = winston.createLogger({
      transports: [transport],
      ...(format === undefined ? {} : { format }),
    });
    logger.error(error);
    logger.log('error', error as unknown as string, { a: 1 });
    assert.ok(await transport.flush(10_000));
    await new Promise<void>((resolve) => void logger.once('finish', resolve).end());
  }
  server.close();
  assert.equal(lines.length, 4);
  for (const line of lines) {
    assert.equal(line['message'], 'it broke');
    assert.match(String(line['stack']), /^TypeError: it broke\n +at /);
  }
  // As the default format hands it on: the error's own fields, type and cause are there too.
  const [first] = lines;
  assert.deepEqual(
    [first!['type'], first!['code'], (first!['cause'] as Error).message],
    ['TypeError', 'E1', 'no disk'],
  );
});
