export type { AlertState } from './alert-state.ts';
export { receiversErrors } from './errors.ts';
export { AddressRules } from './net/address-rules.ts';
export { allowedHosts } from './net/allowed-hosts.ts';
export { openNotifier, type Notifier, type NotifierJob, type NotifierOptions } from './notifier.ts';
export { notifyMetrics } from './telemetry.ts';
