// Run by correlator.int.test.ts, which kills it: the correlator on the settings given as JSON.
import { parseSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { runCorrelator } from '../run-correlator.ts';

const settings = parseSettings(JSON.parse(process.argv[2]!) as Record<string, string>);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
await runCorrelator({
  settings,
  telemetry: createTelemetry('correlator', 'error'),
  signal: stop.signal,
  onReady: () => process.stdout.write('ready\n'),
});
