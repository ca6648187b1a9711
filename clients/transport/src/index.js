// @ts-check
/**
 * @typedef {import('./transport.js').TransportOptions} TransportOptions
 * @typedef {import('./transport.js').TransportStats} TransportStats
 * @typedef {import('./transport.js').Problem} Problem
 * @typedef {import('./sender.js').KafkaOptions} KafkaOptions
 */
export { stringify } from './stringify.js';
export { Transport } from './transport.js';
