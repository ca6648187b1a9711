export { errors, type ErrorCode } from './errors.ts';
export { Normalizer } from './normalize.ts';
export { readEvent } from './read-event.ts';
export { runIngest, startIngest, type RunningIngest } from './run-ingest.ts';
