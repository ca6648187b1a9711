export { correlateOptions } from './correlate-options.ts';
export { Correlate, type CorrelateOptions, type InputRecord } from './correlate.ts';
export type { MemberEvent } from './group.ts';
export { firstOptions } from './options-in-log.ts';
export { inForceFrom } from './rules-in-log.ts';
export { runCorrelator } from './run-correlator.ts';
