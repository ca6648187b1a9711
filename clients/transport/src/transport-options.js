// @ts-check
/**
 * @import { SenderOptions } from './sender.js'
 *
 * @typedef {object} QueueOptions
 * @property {string} [service] for lines that name none
 * @property {number} [maxBufferBytes] what may wait in memory; default 16 MiB. Past it new lines are dropped, counted and announced
 * @property {string} [spool] a folder: lines wait there instead of in memory, and survive kill -9
 * @property {number} [maxSpoolBytes] default 256 MiB
 * @property {number} [batchLines] default 1,000
 * @property {number} [batchBytes] default 512 KiB
 * @property {number} [lingerMs] how long a line waits for others; default 100
 * @property {boolean} [flushOnExit] send what waits before the process ends by itself or by process.exit(); default true
 * @property {number} [exitTimeoutMs] the longest that an exit waits for that; default 5,000
 * @property {(problem: Problem) => void} [onProblem] default: a warning of the process, once an outage
 *
 * @typedef {SenderOptions & QueueOptions} TransportOptions
 *
 * @typedef {{ code: string, message: string, line?: string }} Problem `rejected`: the server refuses `line` for good; `dropped`: no room;
 *   else why a batch could not be sent and will be again
 */
export {};
