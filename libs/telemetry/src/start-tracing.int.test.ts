import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

/** A process that begins a trace, logs a line inside of it, stops tracing and says how long that took. */
const program = `
import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({ load: (url, context, next) => {
  const found = /@opentelemetry\\/([a-z-]+)\\//.exec(url);
  if (found) loaded.add(found[1]);
  return next(url, context);
} });
const { createTelemetry, readTracingSettings, startTracing } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))});
const telemetry = createTelemetry('ingest', 'info');
await startTracing(telemetry, readTracingSettings(process.env), { service: 'ingest', isOneOfMany: false, kafka: false });
const { tracing, logger } = telemetry;
for (let i = 0; i < 1500; i++)
  await tracing.receive({ name: 'request', kind: 'server' }, undefined, async () => { if (i === 0) logger.info('inside'); });
logger.info('outside');
await tracing.stop();
console.log(JSON.stringify([...loaded]));
`;

async function run(env: Record<string, string>) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, log, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  assert.equal(code, 0, log);
  const lines = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { lines, loaded: JSON.parse(out) as string[] };
}

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('without the variables the SDK is not loaded, and lines have no trace', async () => {
  const { lines, loaded } = await run({ OTEL_SERVICE_NAME: 'x' });
  // prom-client brings the API, which is empty without an SDK.
  assert.deepEqual(loaded, ['api']);
  assert.deepEqual(
    lines.map((line) => 'trace_id' in line),
    [false, false],
  );
});

test('what is waiting at the end is sent; lines inside of a span have its ids', async () => {
  const requests: { path: string | undefined; type: string | undefined; bytes: number; key: unknown }[] = [];
  await using collector = await serve((request, response) => {
    const entry = {
      path: request.url,
      type: request.headers['content-type'],
      bytes: 0,
      key: request.headers['x-key'],
    };
    requests.push(entry);
    request.on('data', (data: Buffer) => (entry.bytes += data.length));
    request.on('end', () => response.end());
  });
  const { lines, loaded } = await run({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b',
  });
  assert.ok(loaded.includes('sdk-trace') && !loaded.includes('exporter-zipkin'), loaded.join());
  assert.match(String(lines[0]!['trace_id']), /^[0-9a-f]{32}$/);
  assert.match(String(lines[0]!['span_id']), /^[0-9a-f]{16}$/);
  assert.ok(!('trace_id' in lines[1]!));
  assert.ok(requests.length >= 2, 'batches of at most 512');
  for (const { path, type, key, bytes } of requests) {
    assert.deepEqual([path, type, key], ['/v1/traces', 'application/x-protobuf', 'a b']);
    assert.ok(bytes > 0);
  }
  assert.equal(lines.filter(({ level }) => level === 40).length, 0);
});

for (const [exporter, variables] of [
  ['otlp', (url: string) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url })],
  ['zipkin', (url: string) => ({ OTEL_TRACES_EXPORTER: 'zipkin', OTEL_EXPORTER_ZIPKIN_ENDPOINT: url })],
] as const) {
  test(`${exporter}: a collector that is unreachable costs one line, and the process ends`, async () => {
    const collector = await serve(() => {});
    await collector[Symbol.asyncDispose]();
    const { lines } = await run(variables(collector.url));
    const warnings = lines.filter(({ level }) => level === 40);
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0]!['exporter'], exporter);
  });

  test(
    `${exporter}: a collector that never answers does not keep the process from ending`,
    { timeout: 120_000 },
    async () => {
      await using collector = await serve(() => {});
      await run(variables(collector.url));
    },
  );
}
