/** An entry of systemd's journal: its fields as journald names them; one that occurs several times has a list. */
export type JournalEntry = Record<string, string | string[]>;

const newline = 0x0a;
const equals = 0x3d;
const lengthBytes = 8;
const maxField = 16 * 2 ** 20;
const maxEntry = 64 * 2 ** 20;
const none = Buffer.alloc(0);

/** Thrown for bytes that are no journal export format. */
export class JournalFormatError extends RangeError {}

/** Whether a text or file begins as the journal export format does. */
export function isJournalExport(head: Buffer): boolean {
  return /^(?:__CURSOR|__REALTIME_TIMESTAMP|__MONOTONIC_TIMESTAMP|_BOOT_ID)=/.test(
    head.toString('latin1', 0, 64),
  );
}

/** A field of the format, and where in the bytes its value is; `end` is beyond them where the value is not whole. */
export interface JournalField {
  name: string;
  start: number;
  end: number;
}

/** The field at a place, `NAME=value` or a name and below it the value with its length in front; its first line ends at `lineEnd`. */
export function journalFieldAt(bytes: Buffer, at: number, lineEnd: number): JournalField {
  const split = bytes.subarray(at, lineEnd).indexOf(equals);
  if (split !== -1)
    return { name: bytes.toString('latin1', at, at + split), start: at + split + 1, end: lineEnd };
  const start = lineEnd + 1 + lengthBytes;
  const length = start > bytes.length ? Infinity : Number(bytes.readBigUInt64LE(lineEnd + 1));
  return { name: bytes.toString('latin1', at, lineEnd), start, end: start + length };
}

/**
 * Reads systemd's journal export format (systemd.io/JOURNAL_EXPORT_FORMATS): `NAME=value` lines, or a name, eight bytes of length and the
 * value, and a blank line behind each entry. Memory is bounded by the largest entry, 64 MiB.
 */
export class JournalExport {
  #rest: Buffer = none;
  #entry: JournalEntry = {};
  #entryBytes = 0;
  #offset = 0;

  /** The offset behind the last entry that was returned. */
  end = 0;

  /** The entries that are complete with these bytes. Throws JournalFormatError. */
  push(chunk: Buffer): { entry: JournalEntry; end: number }[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const entries: { entry: JournalEntry; end: number }[] = [];
    let at = 0;
    for (;;) {
      const behind = this.#field(bytes, at);
      if (behind === -1) break;
      const isEnd = behind === at + 1 && bytes[at] === newline;
      at = behind;
      if (isEnd) {
        const entry = this.#take(this.#offset + at);
        if (entry !== undefined) entries.push(entry);
      }
    }
    this.#offset += at;
    this.#rest = bytes.subarray(at);
    if (this.#rest.length > maxField) throw new JournalFormatError('a field of the journal is too large');
    return entries;
  }

  /** The last entry, where no blank line follows it. */
  flush(): { entry: JournalEntry; end: number }[] {
    const entry = this.#take(this.#offset);
    return entry === undefined ? [] : [entry];
  }

  #take(end: number): { entry: JournalEntry; end: number } | undefined {
    const entry = this.#entry;
    this.#entry = {};
    this.#entryBytes = 0;
    this.end = end;
    return Object.keys(entry).length === 0 ? undefined : { entry, end };
  }

  /** Reads a field or a blank line; returns the place behind it, -1 where it is not whole yet. */
  #field(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(newline, at);
    if (lineEnd === -1) return -1;
    if (lineEnd === at) return at + 1;
    const { name, start, end } = journalFieldAt(bytes, at, lineEnd);
    checkName(name);
    if (bytes.length < start) return -1;
    if (end - start > maxField) throw new JournalFormatError('a field of the journal is too large');
    if (bytes.length < end + 1) return -1;
    if (bytes[end] !== newline) throw new JournalFormatError('it is no journal export format');
    this.#add(name, bytes.subarray(start, end));
    return end + 1;
  }

  #add(name: string, value: Buffer): void {
    this.#entryBytes += value.length;
    if (this.#entryBytes > maxEntry) throw new JournalFormatError('an entry of the journal is too large');
    const text = value.toString('utf8');
    const before = Object.hasOwn(this.#entry, name) ? this.#entry[name] : undefined;
    this.#entry[name] = before === undefined ? text : [before, text].flat();
  }
}

function checkName(name: string): void {
  if (!/^[A-Z_0-9]{1,64}$/.test(name)) throw new JournalFormatError('it is no journal export format');
}
