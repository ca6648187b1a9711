/** A line of a file, without its end. */
export interface Line {
  bytes: Buffer;
  /** The offset in the (unpacked) file after the line's end. */
  end: number;
}

const newline = 0x0a;

/** Splits bytes into lines, at LF or CRLF. A line over `maxBytes` is split into pieces. */
export class LineSplitter {
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #offset: number;

  /** `offset`: the position of the first byte in the file. */
  constructor(offset: number, maxBytes: number) {
    this.#offset = offset;
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    for (let at = 0; at < chunk.length;) {
      const found = chunk.indexOf(newline, at);
      const end = found === -1 ? chunk.length : found;
      const room = this.#maxBytes - this.#heldBytes;
      const isPiece = end - at > room || (found === -1 && end - at === room);
      this.#hold(chunk.subarray(at, isPiece ? at + room : end));
      if (isPiece) {
        lines.push(this.#take(0));
        at += room;
        continue;
      }
      if (found === -1) break;
      lines.push(this.#take(1));
      at = found + 1;
    }
    return lines;
  }

  /** The rest after the last line's end, as a line. */
  flush(): Line[] {
    return this.#heldBytes === 0 ? [] : [this.#take(0)];
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #take(lineEnd: number): Line {
    const whole = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    this.#offset += this.#heldBytes + lineEnd;
    this.#held = [];
    this.#heldBytes = 0;
    const bytes = whole.at(-1) === 0x0d ? whole.subarray(0, -1) : whole;
    return { bytes, end: this.#offset };
  }
}
