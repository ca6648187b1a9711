/** One message as it came over a stream, without its framing. */
export interface SyslogFrame {
  bytes: Buffer;
  /** What keeps it from being a whole message; `bytes` then holds what there is of it. */
  problem?: 'event-too-large' | 'incomplete-message';
  /** Its length where only a part was kept and the sender said it. */
  declared?: number;
}

const newline = 0x0a;
/** `<` and up to three digits and `>` follow the count: a line that merely begins with a number is no frame. */
const counted = /^([1-9]\d{0,8}) <\d{1,3}>/;
/** What may still become the above. */
const mayBeCounted = /^[1-9]\d{0,8}(?: (?:<\d{0,3})?)?$/;
const longestPrefix = 15;

/**
 * Cuts a TCP stream into syslog messages: octet counting and lines, told apart at each message (RFC 6587). Keeps at most
 * `maxBytes` of a message; the rest of one that is longer is passed over. Never throws.
 */
export class SyslogFramer {
  readonly #maxBytes: number;
  /** The beginning of a message, in pieces: joined only when there may be a whole one, so that slow senders cost no copies. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes that the message begun needs, its prefix included; 0 where only its end tells. */
  #needed = 0;
  /** Of a message that is too long: the bytes still to come, Infinity for "up to the next newline". */
  #skipping = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes kept of a message that is not whole yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The messages that end in these bytes. */
  push(chunk: Buffer): SyslogFrame[] {
    const frames: SyslogFrame[] = [];
    const rest = this.#skipping > 0 ? this.#skip(chunk) : chunk;
    if (rest.length === 0) return frames;
    if (this.#heldBytes > 0) {
      const wasShort = this.#heldBytes < longestPrefix;
      this.#hold(rest);
      if (!wasShort && this.#heldBytes < this.#needed) return frames;
      const isOpen = this.#needed === 0 && this.#heldBytes <= this.#maxBytes && !rest.includes(newline);
      if (!wasShort && isOpen) return frames;
      this.#cut(this.#takeHeld(), frames);
    } else this.#cut(rest, frames);
    return frames;
  }

  /** The stream has ended: an unfinished line is a message when the sender closed in good order, a counted one is not whole. */
  end(inOrder: boolean): SyslogFrame[] {
    if (this.#heldBytes === 0) return [];
    const isLine = this.#needed === 0;
    const bytes = this.#takeHeld();
    if (isLine && inOrder) return lineFrame(bytes);
    return [{ bytes, problem: 'incomplete-message' }];
  }

  #cut(data: Buffer, frames: SyslogFrame[]): void {
    let at = 0;
    while (at < data.length) {
      const byte = data[at]!;
      // Between messages: senders that count and end with a newline all the same, blank lines, padding.
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

  /** Where the counted message ends; -1 when more is to come; undefined when it is not counted. */
  #counted(data: Buffer, at: number, frames: SyslogFrame[]): number | undefined {
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
    this.#skipping = start + declared - data.length;
    return -1;
  }

  #line(data: Buffer, at: number, frames: SyslogFrame[]): number {
    const end = data.indexOf(newline, at);
    const isTooLong = (end === -1 ? data.length : end) - at > this.#maxBytes;
    if (isTooLong) {
      frames.push({ bytes: data.subarray(at, at + this.#maxBytes), problem: 'event-too-large' });
      if (end === -1) this.#skipping = Infinity;
    } else if (end === -1) this.#keep(data, at, 0);
    else frames.push(...lineFrame(data.subarray(at, end)));
    return end === -1 ? -1 : end + 1;
  }

  #skip(chunk: Buffer): Buffer {
    if (this.#skipping === Infinity) {
      const end = chunk.indexOf(newline);
      if (end === -1) return chunk.subarray(chunk.length);
      this.#skipping = 0;
      return chunk.subarray(end + 1);
    }
    const skipped = Math.min(this.#skipping, chunk.length);
    this.#skipping -= skipped;
    return chunk.subarray(skipped);
  }

  #keep(data: Buffer, at: number, needed: number): void {
    // A copy: a view would keep all that was read with it in memory.
    this.#hold(Buffer.from(data.subarray(at)));
    this.#needed = needed;
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #takeHeld(): Buffer {
    const whole = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = this.#needed = 0;
    return whole;
  }
}

/** Without the CR and NUL that some senders put before the newline; nothing for a line that has nothing else. */
function lineFrame(line: Buffer): SyslogFrame[] {
  let end = line.length;
  while (end > 0 && (line[end - 1] === 0x0d || line[end - 1] === 0x00)) end--;
  return end === 0 ? [] : [{ bytes: line.subarray(0, end) }];
}
