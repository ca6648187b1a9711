// @ts-check
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';

/** @import { LineQueue } from './memory-queue.js' */

const segmentBytes = 4 * 2 ** 20;
const positionWidth = 48;
const newline = 0x0a;

/**
 * A queue in files, for what must outlive its process. A line is in the operating system's hands when push() returns: kill -9 does not lose
 * it, a power failure may. The folder `<spool>/<producer>` has numbered segments of lines, `position` (segment, byte, the next line's
 * number) and `owner`. The next process takes over the queue of a dead one, under the same producer and numbers.
 */
export class SpoolQueue {
  bytes = 0;
  #folder;
  #maxBytes;
  #segment = 0;
  #offset = 0;
  #sequence = 0;
  /** @type {number} */ #position;
  /** @type {number | undefined} */ #writing;
  #written = 0;
  #last = 0;
  /** @type {{ segment: number, fd: number } | undefined} */ #reading;
  /** @type {number[]} each peeked line's bytes */ #peeked = [];

  /** A new one in the spool's folder. @param {string} spool @param {string} producer @param {number} maxBytes */
  static create(spool, producer, maxBytes) {
    const folder = join(spool, producer);
    // Under its name only once it has an owner: a process that starts now would take it over.
    const unnamed = join(spool, `.${producer}`);
    mkdirSync(unnamed, { recursive: true, mode: 0o700 });
    claim(unnamed);
    renameSync(unnamed, folder);
    const queue = new SpoolQueue(folder, producer, maxBytes);
    queue.#writing = openSync(queue.#file(0), 'a', 0o600);
    return queue;
  }

  /** Takes over what dead processes left in the spool's folder. @param {string} spool @returns {SpoolQueue[]} */
  static adopt(spool) {
    if (!existsSync(spool)) return [];
    return readdirSync(spool).flatMap((name) => {
      const folder = join(spool, name);
      if (!/^[A-Za-z0-9_-]+(\.taken)*$/.test(name) || isAlive(folder)) return [];
      const taken = `${folder}.taken`;
      try {
        // Of several processes that start at once, one succeeds.
        renameSync(folder, taken);
      } catch {
        return [];
      }
      const queue = new SpoolQueue(taken, basename(folder).replace(/\..*/, ''), 0);
      if (queue.bytes > 0) return [queue];
      queue.close();
      return [];
    });
  }

  /** @param {string} folder @param {string} producer @param {number} maxBytes */
  constructor(folder, producer, maxBytes) {
    this.producer = producer;
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    claim(folder);
    const position = join(folder, 'position');
    const known = existsSync(position) ? readFileSync(position, 'utf8').trim().split(' ').map(Number) : [];
    [this.#segment = 0, this.#offset = 0, this.#sequence = 0] = known.length === 3 ? known : [];
    this.#position = openSync(position, existsSync(position) ? 'r+' : 'w+', 0o600);
    for (const segment of this.#segments()) {
      this.#last = Math.max(this.#last, segment);
      if (segment >= this.#segment) this.bytes += this.#whole(segment);
    }
    this.bytes -= this.#offset;
  }

  /** @param {string} line */
  push(line) {
    const bytes = Buffer.from(`${line}\n`);
    if (this.#writing === undefined || this.bytes + bytes.length > this.#maxBytes) return false;
    try {
      if (this.#written >= segmentBytes) this.#rotate();
      for (let done = 0; done < bytes.length;) done += writeSync(this.#writing, bytes, done);
    } catch {
      // The disk is full: half a line must not stand before the next one.
      ftruncateSync(this.#writing, this.#written);
      return false;
    }
    this.#written += bytes.length;
    this.bytes += bytes.length;
    return true;
  }

  /** @param {number} maxLines @param {number} maxBytes */
  peek(maxLines, maxBytes) {
    this.#peeked = [];
    /** @type {string[]} */
    const lines = [];
    const chunk = this.bytes === 0 ? Buffer.alloc(0) : this.#read(maxBytes);
    for (let start = 0; lines.length < maxLines;) {
      const end = chunk.indexOf(newline, start);
      if (end === -1) break;
      lines.push(chunk.toString('utf8', start, end));
      this.#peeked.push(end + 1 - start);
      start = end + 1;
    }
    return { lines, sequence: this.#sequence };
  }

  /** @param {number} count */
  ack(count) {
    const bytes = this.#peeked.splice(0, count).reduce((sum, size) => sum + size, 0);
    this.#offset += bytes;
    this.bytes -= bytes;
    this.#sequence += count;
    this.#notePosition();
  }

  /** Removes the files when everything was sent; else the next process finds them. */
  close() {
    closeSync(this.#position);
    if (this.#writing !== undefined) closeSync(this.#writing);
    if (this.#reading !== undefined) closeSync(this.#reading.fd);
    this.#writing = this.#reading = undefined;
    if (this.bytes === 0) rmSync(this.#folder, { recursive: true, force: true });
    else rmSync(join(this.#folder, 'owner'), { force: true });
  }

  /** Whole lines from the position on, up to about `maxBytes`; at least one line. @param {number} maxBytes */
  #read(maxBytes) {
    while (this.#segment < this.#last && this.#offset >= this.#whole(this.#segment)) this.#nextSegment();
    if (this.#reading?.segment !== this.#segment) {
      if (this.#reading !== undefined) closeSync(this.#reading.fd);
      this.#reading = { segment: this.#segment, fd: openSync(this.#file(this.#segment), 'r') };
    }
    for (let size = maxBytes; ; size *= 2) {
      const chunk = Buffer.alloc(size);
      const length = readSync(this.#reading.fd, chunk, 0, size, this.#offset);
      if (chunk.subarray(0, length).includes(newline) || length < size) return chunk.subarray(0, length);
    }
  }

  #rotate() {
    const next = openSync(this.#file(this.#last + 1), 'a', 0o600);
    if (this.#writing !== undefined) closeSync(this.#writing);
    this.#writing = next;
    this.#last++;
    this.#written = 0;
  }

  #nextSegment() {
    const done = this.#file(this.#segment);
    this.#segment++;
    this.#offset = 0;
    // The position is stored before the file is removed: a kill in between leaves a file too many, not one too few.
    this.#notePosition();
    rmSync(done, { force: true });
  }

  #notePosition() {
    const text = [this.#segment, this.#offset, this.#sequence].join(' ').padEnd(positionWidth);
    writeSync(this.#position, text, 0);
  }

  /** Bytes of a segment up to its last whole line: a kill may have cut the one after. @param {number} segment */
  #whole(segment) {
    const file = this.#file(segment);
    if (segment === this.#last && this.#writing !== undefined) return this.#written;
    const size = statSync(file).size;
    const fd = openSync(file, 'r');
    const last = Buffer.alloc(1);
    let end = size;
    while (end > 0 && (readSync(fd, last, 0, 1, end - 1), last[0] !== newline)) end--;
    closeSync(fd);
    return end;
  }

  #segments() {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith('.ndjson'))
      .map((name) => Number.parseInt(name, 10));
  }

  /** @param {number} segment */
  #file(segment) {
    return join(this.#folder, `${String(segment).padStart(8, '0')}.ndjson`);
  }
}

/** @param {string} folder */
function claim(folder) {
  writeFileSync(join(folder, 'owner'), `${process.pid} ${startOf(process.pid)}`);
}

/** Whether the process that has the folder still runs. @param {string} folder */
function isAlive(folder) {
  try {
    const [pid, start] = readFileSync(join(folder, 'owner'), 'utf8').split(' ');
    process.kill(Number(pid), 0);
    return startOf(Number(pid)) === start;
  } catch (error) {
    // A process of another user is a process.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * When a process started, as Linux counts it: a pid alone may be another process's by now. '' for one that has ended and was not yet
 * waited for. Elsewhere always ''.
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? '');
  } catch {
    return '';
  }
}
