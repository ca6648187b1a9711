// The code of a service thread of the one-process mode, started by start-thread.js; see ServiceThread.
import type { RunService } from '@logloom/runtime';
import { secretsOf } from '@logloom/settings';
import { addThreadMetrics, createTelemetry, startTracing } from '@logloom/telemetry';
import { parentPort, workerData } from 'node:worker_threads';
import type { ApiAnswers } from './run-api.ts';
import type { FromThread, ThreadCall, ThreadData, ToThread } from './thread-protocol.ts';
import type { Settings } from '../settings.ts';

const { service, settings, tracing, env = {} } = workerData as ThreadData;
const telemetry = createTelemetry(service, settings.LOG_LEVEL, secretsOf(settings));
addThreadMetrics(telemetry);
const stop = new AbortController();
let api: ApiAnswers | undefined;

const calls = new Map<number, AbortController>();

async function answer(call: ThreadCall, signal: AbortSignal): Promise<unknown> {
  if (call.name === 'metrics') return telemetry.registry.getMetricsAsJSON();
  if (api === undefined) throw new Error(`${service} answers no requests`);
  if (call.name === 'api-read') return api.read(call.stream);
  if (call.name === 'api-close') return api.close(call.stream);
  return api.answer(call.request, signal);
}

function send(message: FromThread): void {
  parentPort!.postMessage(message);
}

parentPort!.on('message', (message: ToThread) => {
  if (message.type === 'stop') {
    stop.abort();
    return;
  }
  if (message.type === 'cancel') {
    calls.get(message.id)?.abort();
    return;
  }
  const { id } = message;
  const gone = new AbortController();
  calls.set(id, gone);
  answer(message.call, gone.signal)
    .then(
      (result) => send({ type: 'result', id, result }),
      (error: unknown) => send({ type: 'error', id, message: String(error) }),
    )
    .finally(() => calls.delete(id));
});

// Loaded individually: a thread loads only the code of its own service.
const services: Record<ThreadData['service'], () => Promise<RunService<Settings>>> = {
  ingest: async () => (await import('@logloom/ingest')).runIngest,
  correlator: async () => (await import('@logloom/correlator')).runCorrelator,
  indexer: async () => (await import('@logloom/indexer')).runIndexer,
  canary: async () => (await import('../canary/run-canary.ts')).runCanary,
  api: async () => (await import('./run-api.ts')).runApi((ready) => (api = ready)),
};

await startTracing(
  telemetry,
  { settings: tracing, warnings: [] },
  { service, isOneOfMany: true, kafka: settings.KAFKA_BROKERS !== undefined },
);
const run = await services[service]();
try {
  await run({
    settings,
    telemetry,
    env,
    signal: stop.signal,
    onReady: () => send({ type: 'ready' }),
    onNotReady: (trouble) => send({ type: 'not-ready', trouble }),
  });
} finally {
  await telemetry.tracing.stop();
}
parentPort!.close();
