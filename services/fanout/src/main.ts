import { runStandalone } from '@logloom/runtime/standalone';
import { runFanout } from './run-fanout.ts';

await runStandalone({ service: 'fanout', healthPort: 9104, run: runFanout, env: process.env });
