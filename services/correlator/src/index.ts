export { Correlate, type CorrelateOptions, type InputRecord } from './correlate.ts';
export type { MemberEvent } from './group.ts';
export { rulesOfRecord } from './rules-in-log.ts';
export { runCorrelator } from './run-correlator.ts';
