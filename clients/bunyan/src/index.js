// @ts-check
export { BunyanStream, logloom } from './bunyan-stream.js';
