export { errors, type ErrorCode } from './errors.ts';
export { runIngest, startIngest, type RunningIngest } from './run-ingest.ts';
