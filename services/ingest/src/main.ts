import { runStandalone } from '@logloom/runtime';
import { runIngest } from './run-ingest.ts';

if (import.meta.main) await runStandalone('ingest', 9101, runIngest, process.env);
