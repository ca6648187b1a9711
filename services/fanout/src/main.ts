import { runStandalone } from '@logloom/runtime';
import { runFanout } from './run-fanout.ts';

await runStandalone('fanout', 9104, runFanout, process.env);
