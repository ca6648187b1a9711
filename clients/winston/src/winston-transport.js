// @ts-check
import { mixin } from '@logloom/context';
import { Transport } from '@logloom/transport';
import WinstonTransport from 'winston-transport';

/**
 * @import { TransportOptions } from '@logloom/transport'
 * @typedef {TransportOptions & WinstonTransport.TransportStreamOptions} LogloomOptions
 */

/** A winston transport: `winston.createLogger({ transports: [new LogloomTransport({ service: 'shop' })] })`. */
export class LogloomTransport extends WinstonTransport {
  /** @param {LogloomOptions} [options] */
  constructor(options = {}) {
    super(options);
    this.transport = new Transport(options);
  }

  /** @override @param {Record<string, unknown>} info @param {() => void} done */
  log(info, done) {
    // Now, in the caller's context. A format's own fields win over it.
    this.transport.write({ timestamp: new Date().toISOString(), ...mixin(), ...fieldsOf(info) });
    // winston waits for it, and would hold back every other transport.
    done();
    this.emit('logged', info);
  }

  /** @override Called by `logger.end()` before its `finish`. @param {(error?: Error) => void} done */
  _final(done) {
    this.transport.close().then(() => done(), done);
  }

  /** Waits until what was logged so far is sent; returns whether it is. @param {number} [timeoutMs] */
  flush(timeoutMs) {
    return this.transport.flush(timeoutMs);
  }
}

/**
 * The fields of a record to send. `logger.error(error)` without the format `errors` hands on the error itself, whose text and stack no copy
 * of its fields holds; with further arguments it stands in the message.
 * @param {Record<string, unknown>} info
 * @returns {Record<string, unknown>}
 */
function fieldsOf(info) {
  if (info instanceof Error) return { ...info, ...errorFields(info) };
  return info['message'] instanceof Error ? { ...info, ...errorFields(info['message']) } : info;
}

/** @param {Error} error */
function errorFields({ name, message, stack, cause }) {
  return { type: name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
