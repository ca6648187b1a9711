// @ts-check
/**
 * @typedef {import('./transport-options.js').TransportOptions} TransportOptions
 * @typedef {import('./transport.js').TransportStats} TransportStats
 * @typedef {import('./transport-options.js').Problem} Problem
 * @typedef {import('./sender.js').KafkaOptions} KafkaOptions
 */
export { stringify } from './stringify.js';
export { Transport } from './transport.js';
