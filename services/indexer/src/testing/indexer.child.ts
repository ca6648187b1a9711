// Run by indexer.int.test.ts, which kills it: the indexer on the settings given as JSON.
import { SqliteEventLog } from '@logloom/event-log';
import { parseSettings } from '../settings.ts';
import { createTelemetry } from '@logloom/telemetry';
import { join } from 'node:path';
import { runIndexer } from '../run-indexer.ts';

const settings = parseSettings(JSON.parse(process.argv[2]!) as Record<string, string>);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
// The one before was killed and could not give back its lease.
const log = new SqliteEventLog(join(settings.LOGLOOM_DATA, 'log'));
log.recover();
await log.close();
await runIndexer({
  settings,
  telemetry: createTelemetry('indexer', 'error'),
  signal: stop.signal,
  onReady: () => process.stdout.write('ready\n'),
});
