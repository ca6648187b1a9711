// Run by bench/engines.ts: one contender in a process of its own, prepared before the clock starts.
import { createTelemetry } from '@logloom/telemetry';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { runCorrelator } from '../../services/correlator/src/index.ts';
import { runIndexer } from '../../services/indexer/src/index.ts';
import { startIngest } from '../../services/ingest/src/index.ts';
import { prepareBareConsumer } from './bare-consumer.ts';
import { prepareBareIndexer } from './bare-indexer.ts';
import { prepareBareProducer } from './bare-producer.ts';
import type { Report, Task } from './task.ts';

const pollMs = 20;
const untilDone = new AbortController();

const send = (report: Report): void => void process.send!(report);
const told = (word: string): Promise<void> =>
  new Promise((resolve) => {
    process.on('message', (message) => void (message === word && resolve()));
  });

process.once('SIGTERM', () => process.exit());
const begun = told('begin');
const ended = told('end');
const task = JSON.parse(process.argv[2]!) as Task;
const { address, work } = await prepare(task);
send({ address });
await begun;
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
await work();
const { user, system } = process.cpuUsage(cpuBefore);
send({ wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 });
untilDone.abort();

async function prepare({ role, env, events }: Task): Promise<{ address: string; work: () => Promise<void> }> {
  if (role === 'bare producer') return { address: '', work: await prepareBareProducer(task) };
  if (role === 'bare consumer') return { address: '', work: prepareBareConsumer(task) };
  if (role === 'bare indexer') return { address: '', work: await prepareBareIndexer(task) };
  const settings = parseSettings(env);
  const telemetry = createTelemetry(role, 'error');
  const context = { settings, telemetry, signal: untilDone.signal, onReady: (): void => {} };
  if (role === 'ingest') {
    const running = await startIngest(context);
    return { address: running.address, work: () => ended };
  }
  const done = async (): Promise<number> => {
    const metric = telemetry.registry.getSingleMetric(`logloom_${role}_events_total`);
    return (await metric?.get())?.values[0]?.value ?? 0;
  };
  const work = async (): Promise<void> => {
    void (role === 'correlator' ? runCorrelator : runIndexer)(context);
    while ((await done()) < events) await new Promise((resolve) => setTimeout(resolve, pollMs));
  };
  return { address: '', work };
}
