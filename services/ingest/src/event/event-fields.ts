import { isPlaceholderId } from '@logloom/schemas';
import { noSlot, slotCount, slots, weakTraceNames } from './field-names.ts';
import { jsonText, type JsonFindings } from './json-text.ts';
import type { FieldName, NameTable } from './name-table.ts';
import { readLevel } from './parse-level.ts';
import type { NoteReason } from './parse-notes.ts';
import type { TimeZone } from '../text/time/time-zone.ts';
import { minMicros, parseTimestamp, utc } from './parse-timestamp.ts';
import { canonicalSpanId, canonicalTraceId, looksLikeTraceId, readTraceHeader } from './trace-context.ts';

export type Parsed = Readonly<Record<string, unknown>>;

export const maxIdLength = 256;
const maxAheadMicros = 86_400_000_000;
/** OpenTelemetry's SDKs say so where nobody has set a name. */
const unknownService = 'unknown_service';
const unknownRank = 10_000;

/** What a value is to its field: nothing, as where a program has none; unreadable; or something that is to be dropped. */
const absent = Symbol('absent');
const dropped = Symbol('dropped');

/**
 * The fields and attributes of one event at a time. Values are read as they come: one that cannot be read stays an attribute, and the next
 * name of the field is tried. The arrays are reused, so that none is allocated per event.
 */
export class EventFields {
  readonly findings: JsonFindings = { tooDeep: false, rounded: false };
  /** Of each field: what it was read as. */
  readonly values: unknown[] = Array.from({ length: slotCount });
  /** Of each field: the name that it was taken from. */
  readonly taken: (FieldName | null)[] = Array.from({ length: slotCount }, () => null);
  /** Values that could not be read. */
  readonly notes: { slot: number; name: string; reason: NoteReason }[] = [];
  /** JSON members, each with a comma in front. */
  attributes = '';
  /** Whether any name may tell a format. */
  isMarked = false;
  /** The name whose value is left out. */
  skipped: FieldName | undefined;
  /** Added to the rank of every name. */
  rankShift = 0;
  /** How times are read. */
  readonly time: { receivedAtMs: number; zone: TimeZone };
  #maxMicros = 0;
  #table: NameTable | undefined;

  readonly #raw: unknown[] = Array.from({ length: slotCount });
  readonly #marks: number[] = Array.from({ length: slotCount }, () => 0);
  readonly #ranks: number[] = Array.from({ length: slotCount }, () => 0);
  readonly #borrowed: boolean[] = Array.from({ length: slotCount }, () => false);

  /** `zone` is that of times without one. */
  constructor(zone: TimeZone = utc) {
    this.time = { receivedAtMs: 0, zone };
  }

  begin(receivedAtMs: number): void {
    for (let slot = 0; slot < slotCount; slot++) {
      this.values[slot] = undefined;
      this.#raw[slot] = undefined;
      this.taken[slot] = null;
      this.#marks[slot] = 0;
      this.#borrowed[slot] = false;
    }
    this.findings.tooDeep = this.findings.rounded = false;
    this.attributes = '';
    if (this.notes.length > 0) this.notes.length = 0;
    this.isMarked = false;
    this.skipped = undefined;
    this.rankShift = 0;
    this.time.receivedAtMs = receivedAtMs;
    this.#maxMicros = receivedAtMs * 1000 + maxAheadMicros;
  }

  /** Sets a field whose value has been read. */
  give(slot: number, name: FieldName, value: unknown): void {
    this.values[slot] = this.#raw[slot] = value;
    this.taken[slot] = name;
    this.#ranks[slot] = name.rank;
    this.#borrowed[slot] = true;
  }

  /** Whether an event may have this time, in microseconds since 1970. */
  isInRange(micros: number): boolean {
    return micros >= minMicros && micros <= this.#maxMicros;
  }

  /** Notes a time that is out of range. What is too early is no time. */
  noteTime(micros: number): void {
    if (micros > this.#maxMicros)
      this.notes.push({ slot: slots.timestamp, name: 'timestamp', reason: 'time out of range' });
  }

  /** Sorts the members into fields and attributes; those that `without` has too go to `onTwice`. Returns their number. */
  members(object: Parsed, names: NameTable, without?: Parsed, onTwice?: (member: string) => void): number {
    this.#table = names;
    let count = 0;
    // for..in allocates no array of keys. A parsed object inherits nothing: `__proto__` in the text is an own key like any other.
    for (const key in object) {
      count++;
      const name = names.find(key);
      const value = object[key];
      if (without !== undefined && name !== this.skipped && Object.hasOwn(without, key))
        onTwice!(name.member + jsonText(value, 2, this.findings));
      else if (name.isPlain) this.attributes += name.member + jsonText(value, 1, this.findings);
      else this.#known(name, value, names);
    }
    return count;
  }

  attribute(name: FieldName, value: unknown): void {
    this.attributes += name.member + jsonText(value, 1, this.findings);
  }

  #known(name: FieldName, value: unknown, names: NameTable): void {
    if (name.isMarker) this.isMarked = true;
    if (name.container && typeof value === 'object' && value !== null) {
      if (name.stays) {
        this.attribute(name, value);
        this.#borrow(name, value, names, 0);
        return;
      }
      if (!Array.isArray(value)) {
        // {"log":{"level":"info","file":"a"}} has log.level; the attribute log keeps {"file":"a"}.
        const rest = this.#restOf(name, value as Parsed, names, 2);
        if (rest !== undefined) this.attributes += name.member + rest;
        return;
      }
    }
    if (name.isTraceHeader) {
      this.attribute(name, value);
      this.#traceHeader(name, value);
    } else if (name.slot === noSlot || !this.#offer(name, value, false)) this.attribute(name, value);
  }

  /** Takes the fields among an object's members. Returns the other members as JSON; undefined when all were fields. */
  #restOf(name: FieldName, object: Parsed, names: NameTable, depth: number): string | undefined {
    let rest = '';
    let taken = false;
    for (const key in object) {
      const inner = names.findIn(name, key);
      const value = object[key];
      let text: string | undefined;
      if (inner.container && typeof value === 'object' && value !== null && !Array.isArray(value)) {
        if (inner.stays) {
          text = jsonText(value, depth, this.findings);
          this.#borrow(inner, value, names, depth);
        } else text = this.#restOf(inner, value as Parsed, names, depth + 1);
      } else if (inner.slot === noSlot || !this.#offer(inner, value, false)) {
        text = jsonText(value, depth, this.findings);
        if (inner.isTraceHeader) this.#traceHeader(inner, value);
      }
      if (text === undefined) taken = true;
      else rest += `${rest === '' ? '' : ','}${JSON.stringify(key)}:${text}`;
    }
    return rest === '' && taken ? undefined : `{${rest}}`;
  }

  /** Reads the fields in an object, or a list of objects, that stays as it is. */
  #borrow(name: FieldName, value: object, names: NameTable, depth: number): void {
    if (depth > 4) return;
    if (Array.isArray(value)) {
      for (const each of value.slice(0, 16) as unknown[])
        if (typeof each === 'object' && each !== null && !Array.isArray(each))
          this.#borrow(name, each, names, depth + 1);
      return;
    }
    for (const key in value) {
      const inner = names.findIn(name, key);
      const member = (value as Parsed)[key];
      if (inner.container && typeof member === 'object' && member !== null)
        this.#borrow(inner, member, names, depth + 1);
      else if (inner.isTraceHeader) this.#traceHeader(inner, member);
      else if (inner.slot !== noSlot) this.#offer(inner, member, true);
    }
  }

  #traceHeader(name: FieldName, value: unknown): void {
    if (typeof value !== 'string' || value.length > maxIdLength) return;
    const context = readTraceHeader(value);
    if (context?.traceId === undefined) return;
    this.#take(slots.traceId, name, context.traceId, context.traceId, true);
    // The span is of this trace; another trace's span would mislead.
    if (context.spanId !== undefined && this.taken[slots.traceId] === name)
      this.#take(slots.spanId, name, context.spanId, context.spanId, true);
  }

  /** Reads a value as the field of its name. Returns false where it is none and stays an attribute. */
  #offer(name: FieldName, value: unknown, borrowed: boolean): boolean {
    if (value === null || name === this.skipped) return true;
    const read = this.#read(name, value);
    if (read === absent) return false;
    if (read === dropped) return true;
    return this.#take(name.slot, name, read, value, borrowed);
  }

  #read(name: FieldName, value: unknown): unknown {
    switch (name.slot) {
      case slots.timestamp:
        return this.#readTime(name, value);
      case slots.level: {
        if (value === '') return dropped;
        return readLevel(wordOf(value), name.scale) ?? this.#unread(name, 'not a level');
      }
      case slots.message:
        if (typeof value === 'string')
          return value === '' ? dropped : name.strict ? value : withoutNewline(value);
        return name.strict ? this.#messageOf(value) : absent;
      case slots.service:
      case slots.host:
        return this.#readText(name, value);
      case slots.attributes:
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return absent;
        this.#borrow(name, value, this.#table!, 0);
        return value;
      default:
        return this.#readId(name, value);
    }
  }

  #readTime(name: FieldName, value: unknown): unknown {
    if (value === '') return dropped;
    const micros = parseTimestamp(value, this.time);
    if (this.isInRange(micros)) return micros;
    if (micros > this.#maxMicros) return this.#unread(name, 'time out of range');
    if (micros < minMicros || isNoTime(value)) return absent;
    return this.#unread(name, 'not a time');
  }

  #messageOf(value: unknown): unknown {
    if (Array.isArray(value) && value.length > 0 && value.every(isByte))
      return Buffer.from(value as number[]).toString();
    return jsonText(value, 1, this.findings);
  }

  #readText(name: FieldName, value: unknown): unknown {
    if (typeof value !== 'string') return name.strict ? this.#unread(name, 'not a text') : absent;
    if (value === '') return dropped;
    if (value.length > maxIdLength) return this.#unread(name, 'too long');
    return value === '-' ? absent : value;
  }

  #readId(name: FieldName, value: unknown): unknown {
    if (typeof value !== 'string' && typeof value !== 'number') return absent;
    const id = typeof value === 'string' ? value : String(value);
    if (id === '') return dropped;
    if (id.length > maxIdLength) return this.#unread(name, 'too long');
    const isTrace = name.slot === slots.traceId;
    if (isPlaceholderId(id)) return (isTrace || name.slot === slots.spanId) && isZero(id) ? dropped : absent;
    if (!isTrace && name.slot !== slots.spanId) return id;
    if (isTrace && weakTraceNames.has(name.known) && !looksLikeTraceId(id)) return absent;
    const isDecimal = name.known.startsWith('dd.') || name.known.startsWith('x-datadog-');
    return isTrace ? canonicalTraceId(id, isDecimal) : canonicalSpanId(id, isDecimal);
  }

  #unread(name: FieldName, reason: NoteReason): typeof absent {
    this.notes.push({ slot: name.slot, name: name.name, reason });
    return absent;
  }

  /**
   * Sets a field. Where two names mean the same field, the preferred one wins and the other becomes an attribute in its place. Returns
   * whether it is set.
   */
  #take(slot: number, name: FieldName, value: unknown, raw: unknown, borrowed: boolean): boolean {
    const isUnknown = slot === slots.service && (value as string).startsWith(unknownService);
    const rank = name.rank + this.rankShift + (isUnknown ? unknownRank : 0);
    const other = this.taken[slot];
    if (other) {
      if (this.#ranks[slot]! <= rank) return false;
      if (!this.#borrowed[slot])
        this.insert(slot, other.member + jsonText(this.#raw[slot], 1, this.findings));
    }
    if (typeof raw === 'number' && Math.abs(raw) > Number.MAX_SAFE_INTEGER) this.findings.rounded = true;
    this.values[slot] = value;
    this.#raw[slot] = raw;
    this.taken[slot] = name;
    this.#ranks[slot] = rank;
    this.#borrowed[slot] = borrowed;
    this.#marks[slot] = this.attributes.length;
    return true;
  }

  /** Keeps the spelling of an id that has become another one. */
  keepSpelling(slot: number): void {
    const name = this.taken[slot];
    if (!name || this.#borrowed[slot] || this.#raw[slot] === this.values[slot]) return;
    this.insert(slot, name.member + jsonText(this.#raw[slot], 1, this.findings));
  }

  /** Adds a member where the value of a field was. */
  insert(slot: number, member: string): void {
    const mark = this.#marks[slot]!;
    this.attributes = this.attributes.slice(0, mark) + member + this.attributes.slice(mark);
    for (let i = 0; i < slotCount; i++) if (this.#marks[i]! > mark) this.#marks[i]! += member.length;
  }
}

/** The name of a level that is an object: {"name":"ERROR","value":40}. */
function wordOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { name, levelStr, text } = value as Parsed;
  return name ?? levelStr ?? text;
}

/** Docker and Fluent Bit keep the end of the line. */
function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, text.endsWith('\r\n') ? -2 : -1) : text;
}

function isByte(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255;
}

function isZero(id: string): boolean {
  return id.charCodeAt(0) === 0x30 && /^0+$/.test(id);
}

/** What programs write where they have no time. */
function isNoTime(value: unknown): boolean {
  return typeof value === 'string' && isPlaceholderId(value.trim());
}
