import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTracingSettings } from './tracing-settings.ts';

const read = (env: Record<string, string>) => readTracingSettings(env);

test('off, unless the variables ask for it', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  for (const env of [
    {},
    { OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { ...endpoint, OTEL_SDK_DISABLED: 'true' },
    { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
  ])
    assert.deepEqual(read(env as Record<string, string>), { settings: undefined, warnings: [] });
});

test('an endpoint is enough; the defaults are those of the specification', () => {
  const { settings, warnings } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' });
  assert.deepEqual(warnings, []);
  assert.deepEqual(settings, {
    exporters: [
      {
        type: 'otlp',
        url: 'http://collector:4318/v1/traces',
        headers: {},
        timeoutMs: 2000,
        compression: 'none',
      },
    ],
    sampler: { parentBased: true, root: 'ratio', ratio: 1 },
    batch: { delayMs: 5000, timeoutMs: 30_000, maxQueue: 2048, maxBatch: 512 },
    serviceName: undefined,
    resourceAttributes: {},
  });
});

test('the variables for traces go before those for all signals, and their endpoint is taken as it is', () => {
  const { settings } = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces/otlp',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20abc%3D,x-tenant=a',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-tenant=b',
    OTEL_EXPORTER_OTLP_TIMEOUT: '9000',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  });
  assert.deepEqual(settings?.exporters, [
    {
      type: 'otlp',
      url: 'https://traces/otlp',
      headers: { authorization: 'Basic abc=', 'x-tenant': 'b' },
      timeoutMs: 9000,
      compression: 'gzip',
    },
  ]);
});

test('several exporters, each once', () => {
  const { settings } = read({
    OTEL_TRACES_EXPORTER: 'zipkin, console,zipkin',
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: 'http://zipkin/api/v2/spans',
  });
  assert.deepEqual(settings?.exporters, [
    { type: 'zipkin', url: 'http://zipkin/api/v2/spans' },
    { type: 'console' },
  ]);
});

test('the samplers of the specification', () => {
  const sampler = (name: string, ratio?: string) =>
    read({
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_TRACES_SAMPLER: name,
      ...(ratio === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: ratio }),
    }).settings?.sampler;
  assert.deepEqual(sampler('always_on'), { parentBased: false, root: 'on', ratio: 1 });
  assert.deepEqual(sampler('parentbased_always_off'), { parentBased: true, root: 'off', ratio: 1 });
  assert.deepEqual(sampler('traceidratio', '0.25'), { parentBased: false, root: 'ratio', ratio: 0.25 });
  assert.deepEqual(sampler('', '0.01'), { parentBased: true, root: 'ratio', ratio: 0.01 });
});

test('what is not understood is told and stops nothing', () => {
  const { settings, warnings } = read({
    OTEL_TRACES_EXPORTER: 'console,jaeger,otlp',
    OTEL_TRACES_SAMPLER: 'magic',
    OTEL_TRACES_SAMPLER_ARG: '7',
    OTEL_BSP_SCHEDULE_DELAY: '-1',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,secret',
  });
  for (const [i, name] of [
    'OTEL_TRACES_EXPORTER',
    'OTEL_TRACES_EXPORTER',
    'OTEL_RESOURCE_ATTRIBUTES',
    'OTEL_TRACES_SAMPLER',
    'OTEL_TRACES_SAMPLER_ARG',
    'OTEL_BSP_SCHEDULE_DELAY',
  ].entries())
    assert.match(warnings[i] ?? '', new RegExp(`^${name}\\b`));
  assert.equal(warnings.length, 6);
  assert.doesNotMatch(warnings.join(), /secret/);
  assert.deepEqual(settings?.exporters, [{ type: 'console' }]);
  assert.deepEqual(settings.sampler, { parentBased: true, root: 'ratio', ratio: 1 });
  assert.deepEqual(settings.resourceAttributes, { 'deployment.environment': 'test' });
  assert.equal(settings.batch.delayMs, 5000);
});

test('the settings can be given to a thread', () => {
  const { settings } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' });
  assert.deepEqual(structuredClone(settings), settings);
});
