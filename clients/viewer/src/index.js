// @ts-check
/**
 * @typedef {import('./protocol.js').LogEvent} LogEvent
 * @typedef {import('./protocol.js').Correlation} Correlation
 * @typedef {import('./protocol.js').Wanted} Wanted
 * @typedef {import('./protocol.js').From} From
 * @typedef {import('./protocol.js').Gap} Gap
 * @typedef {import('./protocol.js').Mode} Mode
 * @typedef {import('./protocol.js').Refusal} Refusal
 * @typedef {import('./live-client.js').ClientOptions} ClientOptions
 * @typedef {import('./live-client.js').ConnectionState} ConnectionState
 * @typedef {import('./subscription.js').Handlers} Handlers
 * @typedef {import('./subscription.js').Subscription} Subscription
 * @typedef {import('./watch.js').WatchEntry} WatchEntry
 * @typedef {import('./watch.js').WatchOptions} WatchOptions
 */
export { LiveClient } from './live-client.js';
export { LiveError } from './live-error.js';
export { Watch } from './watch.js';
