// @ts-check
import { mixin } from '@logloom/context';
import { Transport } from '@logloom/transport';

/** @import { TransportOptions } from '@logloom/transport' */

/** A raw stream for bunyan: `bunyan.createLogger({ name: 'shop', streams: [logloom()] })`. */
export class BunyanStream {
  /** @param {TransportOptions} options */
  constructor(options) {
    this.transport = new Transport(options);
  }

  /** @param {object} record */
  write(record) {
    // Now, in the caller's context. The record's own fields win over it.
    this.transport.write({ ...mixin(), ...record });
  }

  /** Waits until what was logged so far is sent; returns whether it is. @param {number} [timeoutMs] */
  flush(timeoutMs) {
    return this.transport.flush(timeoutMs);
  }

  /** Flushes and takes no more. @param {number} [timeoutMs] */
  close(timeoutMs) {
    return this.transport.close(timeoutMs);
  }
}

/**
 * An entry for bunyan's `streams`.
 * @param {TransportOptions & { level?: import('bunyan').LogLevel }} [options] `level`: bunyan's, of this stream
 */
export function logloom({ level, ...options } = {}) {
  return {
    type: /** @type {const} */ ('raw'),
    stream: new BunyanStream(options),
    ...(level === undefined ? {} : { level }),
  };
}
