// @ts-check
/**
 * Lines that wait to be sent, in order. A line has its number from the time it is sent on, so the numbers have no holes.
 *
 * @typedef {object} LineQueue
 * @property {string} producer
 * @property {number} bytes
 * @property {(line: string) => boolean} push false when there is no room
 * @property {(maxLines: number, maxBytes: number) => { lines: string[], sequence: number }} peek the first lines, one at least if any
 * @property {(count: number) => void} ack takes the first lines away
 * @property {() => void} close
 */

/** A queue in memory. */
export class MemoryQueue {
  bytes = 0;
  /** @type {string[]} */ #lines = [];
  #head = 0;
  #sequence = 0;
  #maxBytes;

  /** @param {string} producer @param {number} maxBytes */
  constructor(producer, maxBytes) {
    this.producer = producer;
    this.#maxBytes = maxBytes;
  }

  /** @param {string} line */
  push(line) {
    const size = sizeOf(line);
    if (this.bytes + size > this.#maxBytes) return false;
    this.#lines.push(line);
    this.bytes += size;
    return true;
  }

  /** @param {number} maxLines @param {number} maxBytes */
  peek(maxLines, maxBytes) {
    let end = this.#head;
    for (let bytes = 0; end < this.#lines.length && end - this.#head < maxLines; end++) {
      bytes += sizeOf(/** @type {string} */ (this.#lines[end]));
      if (bytes > maxBytes && end > this.#head) break;
    }
    return { lines: this.#lines.slice(this.#head, end), sequence: this.#sequence };
  }

  /** @param {number} count */
  ack(count) {
    for (let i = 0; i < count; i++) this.bytes -= sizeOf(/** @type {string} */ (this.#lines[this.#head + i]));
    this.#head += count;
    this.#sequence += count;
    // Once in a while, not for each batch: moving what remains costs its length.
    if (this.#head * 2 < this.#lines.length) return;
    this.#lines.splice(0, this.#head);
    this.#head = 0;
  }

  close() {}
}

/** What a line takes in memory, about: V8 keeps ASCII in one byte a character. @param {string} line */
function sizeOf(line) {
  return line.length + 32;
}
