import { runStandalone } from '@logloom/runtime/standalone';
import { createFanout } from './run-fanout.ts';
import { keepYoungGenerationSmall } from './workers/young-generation.ts';
import { settings } from './settings.ts';

keepYoungGenerationSmall();
const { run, metrics } = createFanout();
await runStandalone({
  settings,
  service: 'fanout',
  healthPort: 9104,
  run,
  metrics,
  env: process.env,
});
