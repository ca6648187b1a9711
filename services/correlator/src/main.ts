import { runStandalone } from '@logloom/runtime/standalone';
import { runCorrelator } from './run-correlator.ts';

await runStandalone({ service: 'correlator', healthPort: 9102, run: runCorrelator, env: process.env });
