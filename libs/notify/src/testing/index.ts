// For tests, also of other projects.
export { alertState, resolvedState } from './alert.ts';
export { startHttpReceiver, status, type Taken } from './http-receiver.ts';
export { openNotifierRig } from './notifier-rig.ts';
