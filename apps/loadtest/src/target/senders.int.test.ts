import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { WebSocketServer } from 'ws';
import { openSender } from './open-sender.ts';
import type { BatchFate, SenderTarget } from './sender.ts';

const signal = new AbortController().signal;

interface Request {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A server that answers each request with the next status, the last one again and again. */
async function serve(t: TestContext, answers: readonly [status: number, body?: string][]) {
  const requests: Request[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [status, body = ''] = answers[Math.min(requests.length, answers.length - 1)]!;
      requests.push({ path: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString() });
      if (status === 0) request.socket.destroy();
      else response.writeHead(status).end(body);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, server, port: (server.address() as AddressInfo).port };
}

async function send(target: SenderTarget): Promise<{ fate: BatchFate; statuses: string[] }> {
  const statuses: string[] = [];
  const sender = openSender(target, 'test', (status) => statuses.push(status));
  return { fate: await sender.send(['{"a":1}', '{"a":2}'], signal), statuses };
}

test('JSON lines by POST: repeats what was not taken, and nothing of which it does not know', async (t) => {
  const busy = await serve(t, [[503], [429], [200]]);
  const url = `http://127.0.0.1:${busy.port}/publish`;
  const taken = await send({ kind: 'ws', url, key: 'k' });
  assert.deepEqual(taken, { fate: { fate: 'stored', rejected: [] }, statuses: ['503', '429', '200'] });
  assert.equal(busy.requests[2]!.body, '{"a":1}\n{"a":2}');
  assert.equal(busy.requests[2]!.headers.authorization, 'Bearer k');

  const refusing = await serve(t, [[403]]);
  const refused = await send({ kind: 'sse', url: `http://127.0.0.1:${refusing.port}/` });
  assert.equal(refused.fate.fate, 'refused');

  const silent = await serve(t, [[0]]);
  const unknown = await send({ kind: 'ws', url: `http://127.0.0.1:${silent.port}/` });
  assert.equal(unknown.fate.fate, 'unknown');
  assert.equal(silent.requests.length, 1);
});

test("Centrifugo's own API: a batch of publications, each of which may be refused", async (t) => {
  const api = await serve(t, [
    [200, '{"replies":[{"publish":{}},{"error":{"code":102,"message":"unknown channel"}}]}'],
  ]);
  const { fate } = await send({
    kind: 'centrifugo',
    url: `http://127.0.0.1:${api.port}/api`,
    key: 'k',
    channel: 'c',
  });
  assert.deepEqual(fate, { fate: 'stored', rejected: [2] });
  const [{ path, headers, body }] = api.requests as [Request];
  assert.deepEqual([path, headers['x-api-key']], ['/api/batch', 'k']);
  assert.deepEqual(JSON.parse(body), {
    commands: [1, 2].map((a) => ({ publish: { channel: 'c', data: { a } } })),
  });
});

test('messages on a socket are taken when the server has read them all, else unknown', async (t) => {
  const { server, port } = await serve(t, [[200]]);
  const received: string[] = [];
  const sockets = new WebSocketServer({ server });
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
  });
  sockets.on('connection', (socket, { url }) => {
    socket.on('message', (data: Buffer) => {
      received.push(data.toString());
      if (url === '/broken') socket.terminate();
    });
  });
  const taken = await send({ kind: 'ws', url: `ws://127.0.0.1:${port}/` });
  assert.equal(taken.fate.fate, 'stored');
  assert.deepEqual(received, ['{"a":1}', '{"a":2}']);
  const broken = await send({ kind: 'ws', url: `ws://127.0.0.1:${port}/broken` });
  assert.equal(broken.fate.fate, 'unknown');
});

test('a command gets each event as a line; one that has ended takes nothing', async (t) => {
  const folder = temporaryFolder('command-sender');
  const file = join(folder.path, 'lines');
  const statuses: string[] = [];
  const stop = new AbortController();
  t.after(() => stop.abort());
  const sender = openSender({ kind: 'ws', url: `stdin:head -n 2 >>'${file}'` }, 'test', (status) =>
    statuses.push(status),
  );
  const fate = await sender.send(['{"a":1}', '{"a":2}'], stop.signal);
  assert.deepEqual([fate.fate, statuses], ['stored', ['written']]);
  const lines = (): string => readFileSync(file, 'utf8');
  await eventually('the command has written both', () => lines() === '{"a":1}\n{"a":2}\n');
  // It has ended, and is started again.
  await eventually('it takes the next', async () => {
    await sender.send(['{"a":3}', '{"a":4}'], stop.signal);
    return lines().includes('{"a":3}\n{"a":4}\n');
  });
});
