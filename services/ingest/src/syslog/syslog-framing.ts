import type { StreamFrame } from '../stream/message-writer.ts';

const newline = 0x0a;
const nul = 0x00;
/** A count is followed by `<`, up to three digits and `>`: a line that merely begins with a number is not counted. */
const counted = /^([1-9]\d{0,8}) <\d{1,3}>/;
/** The beginning of a text that may still match the above. */
const mayBeCounted = /^[1-9]\d{0,8}(?: (?:<\d{0,3})?)?$/;
const longestPrefix = 15;

/**
 * Cuts a TCP stream into syslog messages: octet counting and lines, which a newline or a NUL ends, distinguished at each message (RFC 6587). Keeps at most `maxBytes` of a
 * message and skips the rest. Never throws.
 */
export class SyslogFramer {
  readonly #maxBytes: number;
  /** The pieces of an unfinished message. They are joined only when it may be whole, so that slow senders cost no copying. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The length of the unfinished message with its prefix; 0 where only a newline ends it. */
  #neededBytes = 0;
  /** The bytes still to skip of a message that is too long; Infinity: up to the next newline. */
  #skipBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes kept of the unfinished message. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Returns the messages that end in these bytes. */
  push(chunk: Buffer): StreamFrame[] {
    const frames: StreamFrame[] = [];
    const rest = this.#skipBytes > 0 ? this.#skip(chunk) : chunk;
    if (rest.length === 0) return frames;
    if (this.#heldBytes > 0) {
      const wasShort = this.#heldBytes < longestPrefix;
      this.#hold(rest);
      if (!wasShort && this.#heldBytes < this.#neededBytes) return frames;
      const isOpen =
        this.#neededBytes === 0 && this.#heldBytes <= this.#maxBytes && endOfLine(rest, 0) === -1;
      if (!wasShort && isOpen) return frames;
      this.#cut(this.#takeHeld(), frames);
    } else this.#cut(rest, frames);
    return frames;
  }

  /** Ends the stream: an unfinished line is a message if the sender closed the connection in order; a counted message is incomplete. */
  end(inOrder: boolean): StreamFrame[] {
    if (this.#heldBytes === 0) return [];
    const isLine = this.#neededBytes === 0;
    const bytes = this.#takeHeld();
    if (isLine && inOrder) return lineFrame(bytes);
    return [{ bytes, problem: 'incomplete-message' }];
  }

  #cut(data: Buffer, frames: StreamFrame[]): void {
    let at = 0;
    while (at < data.length) {
      const byte = data[at]!;
      // Between messages: newlines after counted messages, blank lines, padding.
      if (byte === newline || byte === 0x0d || byte === 0x00) {
        at++;
        continue;
      }
      const next = byte >= 0x31 && byte <= 0x39 ? this.#counted(data, at, frames) : undefined;
      const end = next ?? this.#line(data, at, frames);
      if (end === -1) return;
      at = end;
    }
  }

  /** Returns where the counted message ends; -1 when it is not whole yet; undefined when the message is not counted. */
  #counted(data: Buffer, at: number, frames: StreamFrame[]): number | undefined {
    const head = data.toString('latin1', at, at + longestPrefix);
    const match = counted.exec(head);
    if (match === null) {
      if (data.length - at >= longestPrefix || !mayBeCounted.test(head)) return undefined;
      this.#keep(data, at, 0);
      return -1;
    }
    const start = at + match[1]!.length + 1;
    const declared = Number(match[1]);
    const kept = Math.min(declared, this.#maxBytes);
    if (data.length < start + kept) {
      this.#keep(data, at, start - at + kept);
      return -1;
    }
    const bytes = data.subarray(start, start + kept);
    if (declared <= this.#maxBytes) {
      frames.push({ bytes });
      return start + declared;
    }
    frames.push({ bytes, problem: 'event-too-large', declared });
    if (data.length >= start + declared) return start + declared;
    this.#skipBytes = start + declared - data.length;
    return -1;
  }

  #line(data: Buffer, at: number, frames: StreamFrame[]): number {
    const end = endOfLine(data, at);
    const isTooLong = (end === -1 ? data.length : end) - at > this.#maxBytes;
    if (isTooLong) {
      frames.push({ bytes: data.subarray(at, at + this.#maxBytes), problem: 'event-too-large' });
      if (end === -1) this.#skipBytes = Infinity;
    } else if (end === -1) this.#keep(data, at, 0);
    else frames.push(...lineFrame(data.subarray(at, end)));
    return end === -1 ? -1 : end + 1;
  }

  #skip(chunk: Buffer): Buffer {
    if (this.#skipBytes === Infinity) {
      const end = endOfLine(chunk, 0);
      if (end === -1) return chunk.subarray(chunk.length);
      this.#skipBytes = 0;
      return chunk.subarray(end + 1);
    }
    const skipped = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= skipped;
    return chunk.subarray(skipped);
  }

  #keep(data: Buffer, at: number, needed: number): void {
    // Copied: a view would keep the whole chunk in memory.
    this.#hold(Buffer.from(data.subarray(at)));
    this.#neededBytes = needed;
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #takeHeld(): Buffer {
    const whole = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = this.#neededBytes = 0;
    return whole;
  }
}

/** Returns the place of the first newline or NUL; -1 where there is none. */
function endOfLine(bytes: Buffer, from: number): number {
  const line = bytes.indexOf(newline, from);
  // Searched for in this line only: in the rest of the chunk it would be searched for again with each line.
  const found = bytes.subarray(from, line === -1 ? bytes.length : line).indexOf(nul);
  return found === -1 ? line : from + found;
}

/** Drops the CR and NUL that some senders put before the newline; a line of nothing else is no message. */
function lineFrame(line: Buffer): StreamFrame[] {
  let end = line.length;
  while (end > 0 && (line[end - 1] === 0x0d || line[end - 1] === 0x00)) end--;
  return end === 0 ? [] : [{ bytes: line.subarray(0, end) }];
}
