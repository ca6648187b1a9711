import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { readEvents, startForTest, temporaryFolder } from '../testing/ingest-harness.ts';

const bodies: [path: string, body: string, type: string][] = [
  ['/ingest', '{"message":"a"}', 'text/plain'],
  ['/_bulk', '{"create":{}}\n{"message":"a"}\n', 'text/plain'],
  ['/logs/_doc', '{"message":"a"}', 'text/plain'],
  ['/v1/logs', '{}', 'application/json'],
  ['/loki/api/v1/push', '{"streams":[]}', 'application/json'],
];

/** fetch() sets Host and Origin itself. */
function post(
  address: string,
  path: string,
  headers: Record<string, string>,
  body: string,
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${address}${path}`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
    });
    request.on('error', reject).end(body);
  });
}

test('no receiver accepts what a browser sends for pages of other sites, and refusals are counted', async () => {
  using folder = temporaryFolder();
  await using service = await startForTest(folder.path);
  const { address } = service;
  for (const [path, body, type] of bodies) {
    for (const [headers, status, code] of [
      [{ host: 'evil.example:4318' }, 421, 'bad-host'],
      [{ origin: 'https://evil.example' }, 403, 'bad-origin'],
      [{ origin: 'null' }, 403, 'bad-origin'],
      [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403, 'bad-origin'],
    ] as const) {
      const result = await post(address, path, { 'content-type': type, ...headers }, body);
      assert.deepEqual([result.status, result.text.includes(code)], [status, true], `${path} ${result.text}`);
    }
    const result = await post(address, path, { 'content-type': type }, body);
    assert.ok(result.status < 300, `${path} ${result.status}`);
    assert.equal(result.headers['x-content-type-options'], 'nosniff', path);
    assert.equal(result.headers['cross-origin-resource-policy'], 'same-origin', path);
    assert.equal(result.headers['cache-control'], 'no-store', path);
  }
  const own = { 'content-type': 'text/plain', origin: address.replace('127.0.0.1', 'localhost') };
  assert.equal((await post(address, '/ingest', own, '{"message":"of a page on loopback"}')).status, 200);
  const metrics = await service.telemetry.registry.metrics();
  assert.match(metrics, /refused_requests_total\{port="ingest",reason="bad-host"[^}]*\} 5/);
  await service.drain();
  assert.equal((await readEvents(folder.path)).length, 4);
});
