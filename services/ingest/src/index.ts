export { errors, eventErrors, ingestErrors, type ErrorCode } from './errors.ts';
export { forEachLink, type LinkOptions } from './event/event-links.ts';
export { Normalizer } from './event/normalize.ts';
export { readEvent } from './event/read-event.ts';
export { runIngest, startIngest, type RunningIngest } from './run-ingest.ts';
