// @ts-check
export { mixin } from '@logloom/context';
export { logloom, logloom as default, PinoStream } from './pino-stream.js';
