import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'chart/files/set-deletion-costs.ts');
const annotation = 'controller.kubernetes.io/pod-deletion-cost';

interface Seen {
  method: string | undefined;
  url: string | undefined;
  authorization: string | undefined;
  type: string | undefined;
  body: string;
}

async function seen(request: IncomingMessage): Promise<Seen> {
  const { method, url, headers } = request;
  const { authorization, 'content-type': type } = headers;
  return { method, url, authorization, type, body: await text(request) };
}

test('each pod that runs gets its viewers as its deletion cost, where the number has moved', async (t) => {
  const folder = temporaryFolder('costs').path;
  t.after(() => rmSync(folder, { recursive: true }));
  const token = join(folder, 'token');
  writeFileSync(token, 'secret\n');
  const metricsToken = join(folder, 'metrics-token');
  writeFileSync(metricsToken, 'of metrics');
  const metrics: Record<string, string> = {
    '127.0.0.2':
      'logloom_live_viewers{transport="websocket"} 120\nlogloom_live_viewers{transport="sse"} 3\nlogloom_live_max_viewers 20000\n',
    '127.0.0.3': 'logloom_live_viewers{transport="websocket"} 105\n',
    '127.0.0.4': 'logloom_live_viewers{transport="websocket"} 0\n',
  };
  const pod = (name: string, podIP: string, cost?: string, more: object = {}): object => ({
    metadata: { name, ...(cost !== undefined && { annotations: { [annotation]: cost } }), ...more },
    status: { phase: 'Running', podIP },
  });
  const items = [
    pod('new', '127.0.0.2'),
    pod('about-as-before', '127.0.0.3', '100'),
    pod('emptied', '127.0.0.4', '5000'),
    pod('going', '127.0.0.2', undefined, { deletionTimestamp: '2026-11-27T12:00:00Z' }),
    pod('silent', '127.0.0.5'),
    { metadata: { name: 'pending' }, status: { phase: 'Pending' } },
  ];
  const asked: Seen[] = [];
  const api = createServer((request, response) => {
    void seen(request).then((what) => {
      asked.push(what);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(what.method === 'GET' ? { items } : {}));
    });
  });
  // Each pod has an address of its own, on the same port; at that of the silent one nobody listens.
  const pods = createServer((request, response) => {
    if (request.headers.authorization !== 'Bearer of metrics') return void response.writeHead(401).end();
    response.end(request.url === '/metrics' ? metrics[request.socket.localAddress!] : undefined);
  });
  const others = Object.keys(metrics)
    .slice(1)
    .map(() => createServer((request, response) => void pods.emit('request', request, response)));
  api.listen(0, '127.0.0.1');
  pods.listen(0, '127.0.0.2');
  await Promise.all([once(api, 'listening'), once(pods, 'listening')]);
  const { port } = pods.address() as AddressInfo;
  for (const [i, server] of others.entries()) {
    server.listen(port, Object.keys(metrics)[i + 1]);
    await once(server, 'listening');
  }
  t.after(() => [api, pods, ...others].forEach((server) => server.close()));

  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const args = [
    program,
    url,
    token,
    'logs',
    'app.kubernetes.io/component=fanout',
    String(port),
    metricsToken,
  ];
  const failed = (await run(process.execPath, args).then(
    () => assert.fail('the silent pod was not told of'),
    (error: unknown) => error,
  )) as { code: number; stderr: string };
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /fetch failed/);

  const [list, ...patches] = asked;
  assert.equal(
    list!.url,
    '/api/v1/namespaces/logs/pods?labelSelector=app.kubernetes.io%2Fcomponent%3Dfanout',
  );
  assert.deepEqual(
    patches
      .map(({ method, url: path, type, body }) => [method, path, type, JSON.parse(body) as unknown])
      .sort((a, b) => (String(a[1]) < String(b[1]) ? -1 : 1)),
    [
      ['emptied', '0'],
      ['new', '123'],
    ].map(([name, cost]) => [
      'PATCH',
      `/api/v1/namespaces/logs/pods/${name}`,
      'application/merge-patch+json',
      { metadata: { annotations: { [annotation]: cost } } },
    ]),
  );
  for (const { authorization } of asked) assert.equal(authorization, 'Bearer secret');
});
