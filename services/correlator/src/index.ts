export { correlatorErrors } from './errors.ts';
export { correlateOptions } from './correlate-options.ts';
export { Correlate, type CorrelateOptions, type InputRecord } from './correlate.ts';
export { CauseOrder } from './join/cause-order.ts';
export { joinInput, loadForwarded } from './join/join-input.ts';
export type { MemberEvent } from './session/session-window.ts';
export { firstOptions } from './rules/options-in-log.ts';
export { inForceFrom } from './rules/rules-in-log.ts';
export { runCorrelator } from './run-correlator.ts';
