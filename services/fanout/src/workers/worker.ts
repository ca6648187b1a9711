// The code of a worker process; see WorkerProcess. It gets everything from its supervisor, and does not outlive it.
import { secretsOf } from '@logloom/settings';
import { addProcessMetrics, createTelemetry, startTracing } from '@logloom/telemetry';
import { once } from 'node:events';
import { enableCompileCache } from 'node:module';
import { runWorker } from './run-worker.ts';
import type { LiveTier } from '../server/live-tier.ts';
import type { FromWorker, ToWorker, WorkerAnswers, WorkerQuestion } from './worker-protocol.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

enableCompileCache();
keepYoungGenerationSmall();

const stop = new AbortController();
// Ctrl-C in a terminal also reaches the supervisor, which decides.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => stop.abort());
// Nothing is left that would replace it.
process.on('disconnect', () => process.exit(1));

async function send(message: FromWorker): Promise<void> {
  await new Promise<void>((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}

const [first] = (await once(process, 'message')) as [ToWorker];
if (first.type !== 'start') throw new Error(`a worker begins with its start, not with ${first.type}`);
const { data } = first;
const telemetry = createTelemetry(data.service, data.settings.LOG_LEVEL, secretsOf(data.settings));
addProcessMetrics(telemetry);
await startTracing(
  telemetry,
  { settings: data.tracing, warnings: [] },
  { service: 'fanout', isOneOfMany: data.isOneOfMany, kafka: data.settings.KAFKA_BROKERS !== undefined },
);
let appended: (topic: string) => void = () => {};
process.on('message', (message: ToWorker) => {
  if (message.type === 'drain') stop.abort();
  else if (message.type === 'ping') void send({ type: 'pong' });
  else if (message.type === 'appended') appended(message.topic);
  else if (message.type === 'ask')
    void answer(message.question).then((given) => send({ type: 'answer', id: message.id, answer: given }));
});
let tier: LiveTier | undefined;
async function answer(question: WorkerQuestion): Promise<WorkerAnswers[keyof WorkerAnswers] | undefined> {
  switch (question.name) {
    case 'metrics':
      return telemetry.registry.getMetricsAsJSON();
    case 'viewers':
      return tier?.viewers.list(question.query);
    case 'end-viewer':
      return tier?.viewers.end(question.viewer);
    case 'send-away':
      return tier?.drain(question.overMs);
  }
}
let exitCode = 0;
try {
  await runWorker(data, {
    telemetry,
    signal: stop.signal,
    onReady: () => void send({ type: 'ready' }),
    onLog: (announce) => (appended = announce),
    onTier: (created) => (tier = created),
  });
} catch (error) {
  exitCode = 1;
  await send({ type: 'failed', reason: (error as Error).stack ?? String(error) });
} finally {
  await telemetry.tracing.stop();
}
process.exit(exitCode);
