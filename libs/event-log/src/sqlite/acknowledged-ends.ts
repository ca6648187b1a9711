import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';

const headerBytes = 16;
const entryBytes = 16;

/**
 * The ends of a topic's partitions that were acknowledged as durable. They are stored beside the topic's files, in another file, so that a
 * lost file of records is noticed by whichever process opens the topic next.
 *
 * Each writer has a row of its own: the topic's epoch, then per partition an end offset and a checksum. A row is written after the commit
 * and never synced: it survives a kill, is never ahead of the records, and may be behind after a power loss.
 */
export class AcknowledgedEnds {
  readonly #path: string;
  readonly #row: Buffer;
  #epoch: string | undefined;
  #file: number | undefined;
  #at = 0;

  constructor(path: string, partitions: number) {
    this.#path = path;
    this.#row = Buffer.alloc(rowBytes(partitions));
  }

  /** The highest end of each partition that a writer has stored in this epoch; 0 if none has. */
  static read(path: string, epoch: string, partitions: number): number[] {
    const ends = new Array<number>(partitions).fill(0);
    const bytes = rowsIn(path);
    for (let at = 0; at + rowBytes(partitions) <= bytes.length; at += rowBytes(partitions)) {
      for (let p = 0; p < partitions; p++) {
        const entry = bytes.subarray(at + headerBytes + p * entryBytes);
        const end = entry.readDoubleLE(0);
        // The row is of another epoch, was never written, or is damaged.
        if (entry.readUInt32LE(8) !== checksum(epoch, p, end)) continue;
        ends[p] = Math.max(ends[p]!, end);
      }
    }
    return ends;
  }

  /** Merges all rows into one. For a process that has the topic to itself. */
  static merge(path: string, epoch: string, partitions: number): void {
    const ends = AcknowledgedEnds.read(path, epoch, partitions);
    if (rowsIn(path).length <= rowBytes(partitions)) return;
    const row = Buffer.alloc(rowBytes(partitions));
    row.write(epoch, 'latin1');
    for (const [p, end] of ends.entries()) put(row, epoch, p, end);
    writeFileSync(`${path}.new`, row);
    renameSync(`${path}.new`, path);
  }

  /** Claims a row. Called while no other writer of the topic is active. */
  claim(epoch: string): void {
    if (this.#file !== undefined && this.#epoch === epoch) return;
    unlessItFails(() => {
      this.#file ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT);
      if (this.#epoch === undefined)
        this.#at = Math.ceil(fstatSync(this.#file).size / this.#row.length) * this.#row.length;
      this.#row.fill(0);
      this.#row.write(epoch, 'latin1');
      writeSync(this.#file, this.#row, 0, this.#row.length, this.#at);
      this.#epoch = epoch;
    });
  }

  /** Records before these ends, by partition, are durable. */
  note(ends: Iterable<[partition: number, end: number]>): void {
    const epoch = this.#epoch;
    if (this.#file === undefined || epoch === undefined) return;
    let first = Infinity;
    let last = -1;
    for (const [partition, end] of ends) {
      put(this.#row, epoch, partition, end);
      first = Math.min(first, partition);
      last = Math.max(last, partition);
    }
    if (last < 0) return;
    const from = headerBytes + first * entryBytes;
    const bytes = (last - first + 1) * entryBytes;
    unlessItFails(() => writeSync(this.#file!, this.#row, from, bytes, this.#at + from));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function rowBytes(partitions: number): number {
  return headerBytes + partitions * entryBytes;
}

function put(row: Buffer, epoch: string, partition: number, end: number): void {
  const at = headerBytes + partition * entryBytes;
  row.writeDoubleLE(end, at);
  row.writeUInt32LE(checksum(epoch, partition, end), at + 8);
}

function checksum(epoch: string, partition: number, end: number): number {
  return crc32(`${epoch} ${partition} ${end}`);
}

function rowsIn(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** The records are safe without it: on a full disk only the row falls behind, until the next append. */
function unlessItFails(write: () => void): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}
