import type { EventLog } from '@logloom/event-log';
import { formatCursor, parseCursor, type Cursor } from '../protocol/cursor.ts';
import type { StreamKind } from './stream-kind.ts';

/** Writes and reads the cursors of one stream. */
export class StreamCursors {
  readonly #kind: StreamKind;
  readonly #epoch: string;
  readonly #log: EventLog;
  readonly #position: readonly number[];

  /** `epoch`: that of the stream's topic. `position`: per partition, the offset of the stream's next record. */
  constructor(kind: StreamKind, epoch: string, log: EventLog, position: readonly number[]) {
    this.#kind = kind;
    this.#epoch = epoch;
    this.#log = log;
    this.#position = position;
  }

  /** The same for what has been broadcast of the stream up to another position. */
  upTo(position: readonly number[]): StreamCursors {
    return new StreamCursors(this.#kind, this.#epoch, this.#log, position);
  }

  at(offsets: readonly number[]): string {
    return formatCursor(this.#kind.letter, this.#epoch, offsets);
  }

  /**
   * Reads a cursor: 'void' when it is of another epoch, lies beyond the log's end, or is of the log that this one was restored from a backup
   * of; undefined when it is no cursor of this stream.
   * Rejects when the log cannot be read.
   */
  async resolve(text: string): Promise<Cursor | 'void' | undefined> {
    const cursor = parseCursor(text);
    if (cursor === undefined || cursor.letter !== this.#kind.letter) return undefined;
    if (cursor.epoch !== this.#epoch) return 'void';
    if (cursor.offsets.length !== this.#position.length) return undefined;
    if (!this.#hasReached(cursor.offsets)) {
      // From an instance that is ahead of this one, or from a log that lost its end.
      const end = await this.#log.endOffsets(this.#kind.topic);
      if (cursor.offsets.some((offset, p) => offset > end[p]!)) return 'void';
    }
    const skipped = this.#log.skippedOffsets?.(this.#kind.topic) ?? [];
    const isOfOther = skipped.some(({ partition, from, to }) =>
      [cursor.offsets[partition]!, cursor.announced?.to[partition] ?? 0].some((o) => from < o && o < to),
    );
    return isOfOther ? 'void' : cursor;
  }

  /** Whether this is a cursor of this stream and of what it has broadcast. */
  hasSent(text: string): boolean {
    const cursor = parseCursor(text);
    return (
      cursor?.letter === this.#kind.letter &&
      cursor.epoch === this.#epoch &&
      cursor.offsets.length === this.#position.length &&
      this.#hasReached(cursor.announced?.to ?? cursor.offsets)
    );
  }

  #hasReached(offsets: readonly number[]): boolean {
    return offsets.every((offset, p) => offset <= this.#position[p]!);
  }
}
