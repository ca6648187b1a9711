import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

function exitCode(url: string): Promise<number | null> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(import.meta.dirname, 'ready.ts'), url], () => {
      resolve(child.exitCode);
    });
  });
}

test('says whether a URL answers well', async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/ready' ? 200 : 503;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    assert.equal(await exitCode(`${url}/ready`), 0);
    assert.equal(await exitCode(`${url}/starting`), 1);
  } finally {
    server.close();
    await once(server, 'close');
  }
  assert.equal(await exitCode(`${url}/ready`), 1, 'nobody listens any more');
});
