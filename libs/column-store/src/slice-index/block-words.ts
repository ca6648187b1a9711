/** The distinct words of a block of rows, and in how many rows each is. Its memory is used again for the next block. */
export class BlockWords {
  #slots = new Int32Array(1 << 15);
  #hashes = new Int32Array(1 << 14);
  #starts = new Int32Array(1 << 14);
  #lengths = new Int32Array(1 << 14);
  #counts = new Int32Array(1 << 14);
  #lastRows = new Int32Array(1 << 14);
  #size = 0;
  #rows = 0;
  #text = Buffer.alloc(1 << 20);
  #textLength = 0;

  /** Adds rows: the words of each in UTF-8, with spaces between them, and a line break between the rows. */
  add(rows: Uint8Array): void {
    let at = this.#textLength;
    if (at + rows.length > this.#text.length) this.#growText(at + rows.length);
    this.#text.set(rows, at);
    const end = (this.#textLength += rows.length);
    const text = this.#text;
    let start = at;
    let hash = 0;
    this.#rows++;
    // FNV-1a, finished as in MurmurHash3.
    for (; at < end; at++) {
      const byte = text[at]!;
      if (byte > space) hash = Math.imul(hash ^ byte, 0x01000193);
      else {
        if (at > start) this.#count(start, at - start, finish(hash));
        start = at + 1;
        hash = 0;
        if (byte === lineBreak) this.#rows++;
      }
    }
    if (at > start) this.#count(start, at - start, finish(hash));
  }

  /** Each word with the number of its rows. */
  *entries(): Generator<[word: string, rows: number]> {
    for (let i = 0; i < this.#size; i++) {
      const start = this.#starts[i]!;
      yield [this.#text.toString('utf8', start, start + this.#lengths[i]!), this.#counts[i]!];
    }
  }

  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
    this.#rows = 0;
    this.#textLength = 0;
  }

  #count(start: number, length: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      const i = entry - 1;
      if (
        this.#hashes[i] === hash &&
        this.#lengths[i] === length &&
        this.#isSame(this.#starts[i]!, start, length)
      ) {
        if (this.#lastRows[i] !== this.#rows) {
          this.#lastRows[i] = this.#rows;
          this.#counts[i]!++;
        }
        return;
      }
      slot = (slot + 1) & mask;
    }
    const i = this.#size++;
    this.#slots[slot] = i + 1;
    this.#hashes[i] = hash;
    this.#starts[i] = start;
    this.#lengths[i] = length;
    this.#counts[i] = 1;
    this.#lastRows[i] = this.#rows;
    if (this.#size === this.#hashes.length) this.#grow();
  }

  #isSame(a: number, b: number, length: number): boolean {
    const text = this.#text;
    for (let i = 0; i < length; i++) if (text[a + i] !== text[b + i]) return false;
    return true;
  }

  #grow(): void {
    this.#hashes = doubled(this.#hashes);
    this.#starts = doubled(this.#starts);
    this.#lengths = doubled(this.#lengths);
    this.#counts = doubled(this.#counts);
    this.#lastRows = doubled(this.#lastRows);
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let i = 0; i < this.#size; i++) {
      let slot = this.#hashes[i]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = i + 1;
    }
    this.#slots = slots;
  }

  #growText(needed: number): void {
    const grown = Buffer.alloc(Math.max(needed, 2 * this.#text.length));
    this.#text.copy(grown, 0, 0, this.#textLength);
    this.#text = grown;
  }
}

const space = 0x20;
const lineBreak = 0x0a;

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  return h ^ (h >>> 13);
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(2 * array.length);
  grown.set(array);
  return grown;
}
