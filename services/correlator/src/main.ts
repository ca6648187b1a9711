import { runStandalone } from '@logloom/runtime';
import { runCorrelator } from './run-correlator.ts';

await runStandalone('correlator', 9102, runCorrelator, process.env);
