import { runStandalone } from '@logloom/runtime/standalone';
import { runCorrelator } from './run-correlator.ts';
import { settings } from './settings.ts';

await runStandalone({
  settings,
  service: 'correlator',
  healthPort: 9102,
  run: runCorrelator,
  env: process.env,
});
