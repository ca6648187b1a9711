// @ts-check
import { Transport } from '@logloom/transport';
import { Writable } from 'node:stream';
import { isMainThread } from 'node:worker_threads';

/** @import { TransportOptions } from '@logloom/transport' */

/**
 * A stream for pino's lines: as `pino.transport({ target: '@logloom/pino', options })` on a worker thread, or as `pino(logloom(options))`
 * in the thread that logs.
 */
export class PinoStream extends Writable {
  #rest = '';

  /** @param {TransportOptions} options */
  constructor(options) {
    super({ decodeStrings: false, defaultEncoding: 'utf8' });
    this.transport = new Transport(options);
  }

  /** @override @param {string | Buffer} chunk @param {BufferEncoding} _encoding @param {() => void} done */
  _write(chunk, _encoding, done) {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') this.transport.write(line);
    done();
  }

  /** @override @param {(error?: Error) => void} done */
  _final(done) {
    if (this.#rest !== '') this.transport.write(this.#rest);
    this.transport.close(9000).then(() => done(), done);
  }

  /** pino's `logger.flush(callback)`. @param {(error?: Error) => void} [done] */
  flush(done = () => {}) {
    this.transport
      .flush()
      .then(
        (isSent) => (isSent ? done() : done(new Error('the lines could not be sent yet; they are kept'))),
        done,
      );
  }
}

/** Makes the stream. @param {TransportOptions} [options] */
export function logloom(options = {}) {
  // pino ends a worker's stream itself, and waits for it, when the process ends.
  return new PinoStream({ flushOnExit: isMainThread, ...options });
}
