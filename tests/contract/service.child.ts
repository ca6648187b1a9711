// Run by kafka-pipeline.int.test.ts, which kills it: one service, on the settings in its environment.
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { runCorrelator } from '../../services/correlator/src/index.ts';
import { createFanout } from '../../services/fanout/src/index.ts';
import { runIndexer } from '../../services/indexer/src/index.ts';
import { runIngest } from '../../services/ingest/src/index.ts';

const services = {
  ingest: runIngest,
  correlator: runCorrelator,
  indexer: runIndexer,
  fanout: createFanout().run,
};

const name = process.argv[2] as keyof typeof services;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
await services[name]({
  settings: parseSettings(process.env),
  telemetry: createTelemetry(name, 'error'),
  signal: stop.signal,
  onReady: () => process.stdout.write('ready\n'),
});
