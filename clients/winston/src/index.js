// @ts-check
/** @typedef {import('./winston-transport.js').LogloomOptions} LogloomOptions */
export { LogloomTransport } from './winston-transport.js';
