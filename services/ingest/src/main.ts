import { runStandalone } from '@logloom/runtime/standalone';
import { runIngest } from './run-ingest.ts';
import { settings } from './settings.ts';

await runStandalone({
  settings,
  service: 'ingest',
  healthPort: 9101,
  run: runIngest,
  env: process.env,
});
