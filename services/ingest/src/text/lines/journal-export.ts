/** An entry of systemd's journal: its fields as journald names them; one that occurs several times has a list. */
export type JournalEntry = Record<string, string | string[]>;

const newline = 0x0a;
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
    const line = bytes.subarray(at, lineEnd);
    const equals = line.indexOf(0x3d);
    if (equals > 0) {
      this.#add(line.toString('latin1', 0, equals), line.subarray(equals + 1));
      return lineEnd + 1;
    }
    checkName(line.toString('latin1'));
    if (bytes.length < lineEnd + 9) return -1;
    const length = bytes.readBigUInt64LE(lineEnd + 1);
    if (length > BigInt(maxField)) throw new JournalFormatError('a field of the journal is too large');
    const end = lineEnd + 9 + Number(length);
    if (bytes.length < end + 1) return -1;
    if (bytes[end] !== newline) throw new JournalFormatError('it is no journal export format');
    this.#add(line.toString('latin1'), bytes.subarray(lineEnd + 9, end));
    return end + 1;
  }

  #add(name: string, value: Buffer): void {
    checkName(name);
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
