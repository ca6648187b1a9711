// @ts-check
import { randomBytes } from 'node:crypto';
import { createSender } from './create-sender.js';
import { flushAtExit } from './exit.js';
import { MemoryQueue } from './memory-queue.js';
import { retryDelay } from './retry-delay.js';
import { SendError } from './send-error.js';
import { SpoolQueue } from './spool-queue.js';
import { stringify } from './stringify.js';

/**
 * @import { LineQueue } from './memory-queue.js'
 * @import { Rejection, Sender } from './sender.js'
 * @import { Problem, TransportOptions } from './transport-options.js'
 *
 * @typedef {object} TransportStats
 * @property {number} written lines taken
 * @property {number} sent lines that Logloom has, durably
 * @property {number} rejected lines that it refused for good; they are among its dead letters
 * @property {number} dropped lines for which there was no room, or no time at the exit
 * @property {number} retries
 * @property {number} queuedBytes
 */

const mib = 2 ** 20;
const announceEvery = 1000;

/** Accepts lines and sends them in batches, in order, each until there is a response. */
export class Transport {
  #options;
  /** @type {Sender} */ #sender;
  /** @type {LineQueue} */ #queue;
  /** The queues that earlier processes left, then this one's own. @type {LineQueue[]} */ #queues;
  #stats = { written: 0, sent: 0, rejected: 0, dropped: 0, retries: 0 };
  #unannounced = 0;
  #closed = false;
  #pumping = false;
  #isAway = false;
  /** @type {NodeJS.Timeout | undefined} */ #linger;
  /** @type {(() => void) | undefined} ends the wait before a repetition */ #hurry;
  /** @type {Set<() => void>} */ #idle = new Set();
  #forgetExit = () => {};

  /** @param {TransportOptions} [options] */
  constructor(options = {}) {
    this.#options = {
      maxBufferBytes: 16 * mib,
      maxSpoolBytes: 256 * mib,
      batchLines: 1000,
      batchBytes: mib / 2,
      lingerMs: 100,
      exitTimeoutMs: 5000,
      ...options,
    };
    this.#sender = createSender(options);
    const producer = randomBytes(9).toString('base64url');
    const { spool, maxSpoolBytes, maxBufferBytes } = this.#options;
    if (spool === undefined) {
      this.#queue = new MemoryQueue(producer, maxBufferBytes);
      this.#queues = [this.#queue];
    } else {
      const left = SpoolQueue.adopt(spool);
      this.#queue = SpoolQueue.create(spool, producer, maxSpoolBytes);
      this.#queues = [...left, this.#queue];
    }
    if (options.flushOnExit ?? true) this.#forgetExit = flushAtExit(this, this.#options);
    if (this.isPending) this.#schedule();
  }

  get stats() {
    return { ...this.#stats, queuedBytes: this.#queues.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  get isPending() {
    return this.#queues.some(({ bytes }) => bytes > 0);
  }

  /** The number of the own queue's first line and all that wait there, for the exit. */
  get unsent() {
    const { producer } = this.#queue;
    return { producer, ...this.#queue.peek(Infinity, Infinity) };
  }

  /**
   * Takes a record, or a line of JSON. Never waits and never throws; false when it was dropped: no room, or closed.
   * @param {object | string} record
   */
  write(record) {
    if (this.#unannounced > 0 && !this.#closed && this.#queue.push(this.#announcement())) {
      this.#stats.written++;
      this.#unannounced = 0;
    }
    if (this.#closed || !this.#queue.push(this.#lineOf(record))) {
      this.#stats.dropped++;
      if (this.#unannounced++ % announceEvery === 0)
        this.#tell({
          code: 'dropped',
          message: this.#closed ? 'the transport is closed' : 'the buffer is full',
        });
      return false;
    }
    this.#stats.written++;
    this.#schedule();
    return true;
  }

  /**
   * Waits until everything written so far is sent. Does not wait out a pause before a repetition.
   * @param {number} [timeoutMs]
   * @returns {Promise<boolean>} whether everything is sent; what is not stays
   */
  async flush(timeoutMs = 5000) {
    if (!this.isPending) return true;
    clearTimeout(this.#linger);
    void this.#pump();
    this.#hurry?.();
    const { promise, resolve } = /** @type {PromiseWithResolvers<void>} */ (withResolvers());
    // This timer keeps the process alive, and only this.
    const timer = setTimeout(resolve, timeoutMs);
    this.#idle.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#idle.delete(resolve);
    return !this.isPending;
  }

  /** Flushes, then takes no more. What could not be sent stays in the spool, or is dropped. @param {number} [timeoutMs] */
  async close(timeoutMs = 5000) {
    if (this.#closed) return true;
    const isSent = await this.flush(timeoutMs);
    this.#closed = true;
    this.#forgetExit();
    clearTimeout(this.#linger);
    this.#hurry?.();
    if (!isSent && this.#options.spool === undefined) this.giveUp();
    this.release();
    await this.#sender.close();
    return isSent;
  }

  /** Releases the queues: an empty spool is removed; the next process takes over a non-empty one. Accepts no more lines. */
  release() {
    this.#closed = true;
    for (const queue of this.#queues.splice(0)) queue.close();
  }

  /** Counts the lines in memory as dropped, and reports it. */
  giveUp() {
    const { lines } = this.#queue.peek(Infinity, Infinity);
    if (this.#options.spool !== undefined || lines.length === 0) return;
    this.#queue.ack(lines.length);
    this.#stats.dropped += lines.length;
    this.#tell({ code: 'dropped', message: `${lines.length} log lines could not be sent before the end` });
  }

  #schedule() {
    if (this.#pumping) return;
    if (this.#queue.bytes >= this.#options.batchBytes) {
      clearTimeout(this.#linger);
      this.#linger = undefined;
      // Deferred: not within the call that logs.
      setImmediate(() => void this.#pump());
      this.#pumping = true;
      return;
    }
    // A process that has nothing else to do ends; beforeExit flushes.
    this.#linger ??= setTimeout(() => void this.#pump(), this.#options.lingerMs).unref();
  }

  async #pump() {
    this.#linger = undefined;
    if (this.#running) return;
    this.#running = this.#pumping = true;
    for (;;) {
      const queue = this.#queues.find(({ bytes }) => bytes > 0);
      if (queue === undefined || this.#closed) break;
      await this.#sendOne(queue);
    }
    this.#running = this.#pumping = false;
    for (const resolve of this.#idle) resolve();
  }
  #running = false;

  /** Sends the queue's first batch, as often as it takes. @param {LineQueue} queue */
  async #sendOne(queue) {
    let maxLines = this.#options.batchLines;
    for (let attempt = 0; !this.#closed; attempt++) {
      /** @type {string[]} */
      let lines = [];
      try {
        const batch = queue.peek(maxLines, this.#options.batchBytes);
        lines = batch.lines;
        if (lines.length === 0) return;
        const rejected = await this.#sender.send({ ...batch, producer: queue.producer });
        if (this.#closed) return;
        this.#isAway = false;
        queue.ack(lines.length);
        this.#stats.sent += lines.length - rejected.length;
        this.#reject(lines, rejected);
        if (queue !== this.#queue && queue.bytes === 0) this.#forget(queue);
        return;
      } catch (error) {
        if (this.#closed) return;
        const { code, message, retryAfterMs } =
          error instanceof SendError ? error : new SendError('failed', String(error));
        if (code === 'too-large' && lines.length > 1) {
          // At once, in smaller parts: the numbers are the lines', not the batch's.
          maxLines = Math.ceil(lines.length / 2);
          attempt = -1;
          continue;
        }
        if (code === 'too-large') {
          queue.ack(1);
          return this.#reject(lines, [{ line: 0, code, message }]);
        }
        if (!this.#isAway) this.#tell({ code, message: `${message}; lines are kept and resent` });
        this.#isAway = true;
        this.#stats.retries++;
        await this.#pause(retryDelay(attempt, retryAfterMs));
      }
    }
  }

  /** An earlier process's queue that is empty now. @param {LineQueue} queue */
  #forget(queue) {
    this.#queues = this.#queues.filter((other) => other !== queue);
    queue.close();
  }

  /** @param {string[]} lines @param {Rejection[]} rejected */
  #reject(lines, rejected) {
    this.#stats.rejected += rejected.length;
    for (const { line, code, message } of rejected)
      this.#tell({ code: 'rejected', message: `${code}: ${message}`, line: lines[line] ?? '' });
  }

  /** @param {number} ms */
  async #pause(ms) {
    const { promise, resolve } = /** @type {PromiseWithResolvers<void>} */ (withResolvers());
    const timer = setTimeout(resolve, ms).unref();
    this.#hurry = resolve;
    await promise;
    clearTimeout(timer);
    this.#hurry = undefined;
  }

  /** @param {object | string} record */
  #lineOf(record) {
    const { service } = this.#options;
    if (typeof record !== 'string') {
      const named = service === undefined || 'service' in record ? record : { service, ...record };
      return stringify(named);
    }
    const line = record.replaceAll('\n', ' ').trim();
    if (service === undefined || !line.startsWith('{') || hasService(line)) return line;
    return line === '{}'
      ? JSON.stringify({ service })
      : `{"service":${JSON.stringify(service)},${line.slice(1)}`;
  }

  #announcement() {
    const message = `${this.#unannounced} log lines were dropped: the buffer was full`;
    const { service = 'unknown' } = this.#options;
    return JSON.stringify({
      timestamp: new Date().toISOString(),
      level: 'warn',
      service,
      message,
      dropped: this.#unannounced,
    });
  }

  /** @param {Problem} problem */
  #tell(problem) {
    try {
      if (this.#options.onProblem !== undefined) return this.#options.onProblem(problem);
    } catch {
      // A logger must not end its program; the warning reports it.
    }
    process.emitWarning(problem.message, { type: 'LogloomTransport', code: problem.code });
  }
}

/** Whether the object has a service of its own, not only something that looks like one deeper down. @param {string} line */
function hasService(line) {
  if (!line.includes('"service"')) return false;
  try {
    return 'service' in JSON.parse(line);
  } catch {
    return true;
  }
}

/** Node 20 has no Promise.withResolvers. */
function withResolvers() {
  /** @type {(value?: unknown) => void} */
  let resolve = () => {};
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
