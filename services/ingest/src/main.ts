import { runStandalone } from '@logloom/runtime/standalone';
import { runIngest } from './run-ingest.ts';

await runStandalone({ service: 'ingest', healthPort: 9101, run: runIngest, env: process.env });
