import {
  idKinds,
  isPlaceholderId,
  type IdKind,
  type Level,
  type LogEvent,
  type Source,
} from '@logloom/schemas';
import { reject, type Rejection } from '../errors.ts';
import { NameTable, noSlot, slotCount, slots, type FieldName } from './field-names.ts';
import { jsonText, type JsonFindings } from './json-text.ts';
import { levelOfNumber, levelOfSeverityNumber, levelOfText } from './parse-level.ts';
import { parseTimestamp } from './parse-timestamp.ts';

const maxIdLength = 256;
const maxAheadMs = 86_400_000;
/** How much of a message is searched for an id, so that the work of the patterns is bounded. */
const maxSearchedLength = 16_384;

/** An event, or why it was refused. */
export type Normalized =
  | {
      ok: LogEvent;
      /** Whether it holds numbers that JSON.parse may have rounded: see readEvent(). */
      rounded: boolean;
    }
  | Rejection;

type Parsed = Readonly<Record<string, unknown>>;

/** The fields that a format has by itself. The names of such a field in the rest of the event then mean attributes. */
export interface GivenFields {
  /** Microseconds since 1970. */
  timestamp?: number | undefined;
  level?: Level | undefined;
  message?: string | undefined;
  service?: string | undefined;
  host?: string | undefined;
  traceId?: string | undefined;
  spanId?: string | undefined;
  /** Further attributes as JSON members, `,"name":value`. Their names must not occur elsewhere in the event. */
  members?: string | undefined;
}

const givenSlots = ['timestamp', 'level', 'message', 'service', 'host', 'traceId', 'spanId'] as const;

/** The names of given fields: they win over every name in the event. */
const givenNames: readonly FieldName[] = Object.entries(slots).map(([name, slot]) => ({
  slot,
  rank: -1,
  name,
  member: '',
  strict: true,
  container: false,
}));

/** Ids that have no field in a LogEvent and are kept as attributes under these names. */
const keptIds = ['requestId', 'sessionId'] as const;

/**
 * Makes LogEvents from parsed JSON objects: the names in field-names.ts become fields, everything else becomes `attributes` with its
 * nesting, order and types. One pass over the object; pure except for the names that it remembers.
 */
export class Normalizer {
  readonly #idPatterns: readonly RegExp[];
  readonly #idOrder: readonly IdKind[];
  readonly #names = new NameTable();

  // The event in work. The arrays are reused, so that none is allocated per event.
  readonly #values: unknown[] = Array.from({ length: slotCount });
  readonly #taken: (FieldName | null)[] = Array.from({ length: slotCount }, () => null);
  readonly #marks: number[] = Array.from({ length: slotCount }, () => 0);
  readonly #findings: JsonFindings = { tooDeep: false, rounded: false };
  #attributes = '';
  #givenMembers = '';

  /**
   * `idPatterns` find a correlation id in the message of an event that has none in a field: group 1, or else the whole match. `idOrder`: the
   * first that an event has is its correlation id.
   */
  constructor(idPatterns: readonly string[], idOrder: readonly IdKind[] = idKinds) {
    this.#idOrder = idOrder;
    this.#idPatterns = idPatterns.map((pattern) => new RegExp(pattern, 'u'));
  }

  /** `receivedAtMs` (since 1970) replaces a missing timestamp. */
  normalize(object: Parsed, source: Source, receivedAtMs: number): Normalized {
    this.#begin();
    if (this.#members(object) === 0) return reject('empty-event');
    return this.#finish(object, source, receivedAtMs);
  }

  /** Makes an event of a format with fields of its own. `object` is the rest, in which the remaining fields are looked up by name. */
  normalizeGiven(given: GivenFields, object: Parsed, source: Source, receivedAtMs: number): Normalized {
    this.#begin();
    for (const field of givenSlots) {
      if (given[field] === undefined) continue;
      this.#values[slots[field]] = given[field];
      this.#taken[slots[field]] = givenNames[slots[field]]!;
    }
    const isEmpty = this.#members(object) === 0 && this.#taken.every((name) => name === null);
    if (isEmpty) return reject('empty-event');
    if (given.members !== undefined) this.#attributes += this.#givenMembers = given.members;
    return this.#finish(object, source, receivedAtMs);
  }

  #begin(): void {
    this.#values.fill(undefined);
    this.#taken.fill(null);
    this.#marks.fill(0);
    this.#findings.tooDeep = this.#findings.rounded = false;
    this.#attributes = '';
    this.#givenMembers = '';
  }

  /** Sorts the members into fields and attributes. Returns their number. */
  #members(object: Parsed): number {
    let count = 0;
    // for..in allocates no array of keys. A parsed object inherits nothing: `__proto__` in the text is an own key like any other.
    for (const key in object) {
      count++;
      const name = this.#names.find(key);
      if (name.slot === noSlot && !name.container) this.#attribute(name, object[key]);
      else this.#known(name, object[key], object);
    }
    return count;
  }

  #attribute(name: FieldName, value: unknown): void {
    this.#attributes += name.member + jsonText(value, 1, this.#findings);
  }

  #known(name: FieldName, value: unknown, object: Parsed): void {
    if (name.container && typeof value === 'object' && value !== null && !Array.isArray(value))
      this.#container(name, value as Parsed);
    else if (name.slot === noSlot || !fits(name, value, object)) this.#attribute(name, value);
    else if (!isAbsent(name, value)) this.#take(name, value);
  }

  /** {"log":{"level":"info","file":"a"}} has log.level; the attribute log keeps {"file":"a"}. */
  #container(name: FieldName, object: Parsed): void {
    const rest = this.#restOf(name, object, 2);
    if (rest !== undefined) this.#attributes += name.member + rest;
  }

  /** Takes the fields among an object's members. Returns the other members as JSON; undefined when all were fields. */
  #restOf(name: FieldName, object: Parsed, depth: number): string | undefined {
    let rest = '';
    let taken = false;
    for (const key in object) {
      const inner = this.#names.find(`${name.name}.${key}`);
      const value = object[key];
      let text: string | undefined;
      if (inner.container && typeof value === 'object' && value !== null && !Array.isArray(value)) {
        text = this.#restOf(inner, value as Parsed, depth + 1);
      } else if (inner.slot === noSlot || !fits(inner, value, object)) {
        text = jsonText(value, depth, this.#findings);
      } else if (!isAbsent(inner, value)) this.#take(inner, value);
      if (text === undefined) taken = true;
      else rest += `${rest === '' ? '' : ','}${JSON.stringify(key)}:${text}`;
    }
    return rest === '' && taken ? undefined : `{${rest}}`;
  }

  /** Sets a field. Where two names mean the same field, the preferred one wins and the other becomes an attribute in its place. */
  #take(name: FieldName, value: unknown): void {
    const { slot } = name;
    const other = this.#taken[slot];
    if (other && other.rank <= name.rank) return this.#attribute(name, value);
    if (other) this.#insert(slot, other.member + jsonText(this.#values[slot], 1, this.#findings));
    if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) this.#findings.rounded = true;
    this.#values[slot] = value;
    this.#taken[slot] = name;
    this.#marks[slot] = this.#attributes.length;
  }

  #finish(object: Parsed, source: Source, receivedAtMs: number): Normalized {
    const timestamp = this.#timestamp(receivedAtMs);
    if (typeof timestamp !== 'number') return timestamp;
    const level = this.#level();
    if (typeof level !== 'string') return level;
    const service = this.#text(slots.service);
    if (typeof service === 'object' && service !== null) return service;
    const host = this.#text(slots.host);
    if (typeof host === 'object' && host !== null) return host;
    const wrongId = this.#ids(object);
    if (wrongId !== undefined) return wrongId;
    const messageValue = this.#values[slots.message] ?? '';
    const message =
      typeof messageValue === 'string' ? messageValue : jsonText(messageValue, 1, this.#findings);
    let correlationId: string | null = null;
    let correlationKind: string | null = null;
    for (const kind of this.#idOrder) {
      const id = this.#values[slots[kind]] as string | undefined;
      if (id === undefined || isPlaceholderId(id)) continue;
      correlationId = id;
      correlationKind = kind;
      break;
    }
    if (correlationKind !== 'correlationId') this.#keep('correlationId', object);
    if (correlationId === null) {
      correlationId = this.#idInMessage(message);
      if (correlationId !== null) correlationKind = 'message';
    }
    if (this.#taken[slots.attributes] !== null) this.#mergeAttributes(object);
    if (this.#findings.tooDeep) return reject('too-deep');
    return {
      ok: {
        source,
        timestamp,
        receivedAt: receivedAtMs,
        level,
        service: service ?? 'unknown',
        host,
        message,
        correlationId,
        correlationKind,
        traceId: (this.#values[slots.traceId] as string | undefined) ?? null,
        spanId: (this.#values[slots.spanId] as string | undefined) ?? null,
        attributes: this.#attributes === '' ? '{}' : `{${this.#attributes.slice(1)}}`,
      },
      rounded: this.#findings.rounded,
    };
  }

  #timestamp(receivedAtMs: number): number | Rejection {
    const name = this.#taken[slots.timestamp];
    if (!name) return receivedAtMs * 1000;
    const value = this.#values[slots.timestamp];
    const micros = name.rank < 0 ? (value as number) : parseTimestamp(value);
    if (Number.isNaN(micros)) return reject('bad-timestamp', `${name.name} is not a time in a known form`);
    if (micros >= 0 && micros <= (receivedAtMs + maxAheadMs) * 1000) return micros;
    return reject(
      'timestamp-out-of-range',
      `${name.name} is ${micros < 0 ? 'before 1970' : 'more than 24 hours ahead'}`,
    );
  }

  #level(): Level | Rejection {
    const name = this.#taken[slots.level];
    if (!name) return 'info';
    const value = this.#values[slots.level];
    if (typeof value !== 'number' && typeof value !== 'string')
      return reject('bad-level', `${name.name} is neither a string nor a number`);
    const level = isSeverityNumber(name)
      ? levelOfSeverityNumber(Number(value))
      : typeof value === 'number'
        ? levelOfNumber(value)
        : levelOfText(value);
    if (level !== undefined) return level;
    this.#insert(slots.level, `,"level":${jsonText(value, 1, this.#findings)}`);
    return 'info';
  }

  #text(slot: number): string | null | Rejection {
    const value = this.#values[slot];
    if (value === undefined) return null;
    const name = this.#taken[slot]!.name;
    if (typeof value !== 'string') return reject('bad-field', `${name} is not a string`);
    return value.length <= maxIdLength ? value : tooLong(name);
  }

  /** Turns the ids into strings, fills trace and span from traceparent, and adds ids without a field to the attributes. */
  #ids(object: Parsed): Rejection | undefined {
    for (let slot: number = slots.correlationId; slot <= slots.spanId; slot++) {
      const value = this.#values[slot] as string | number | undefined;
      if (value === undefined) continue;
      const id = typeof value === 'string' ? value : String(value);
      if (id.length > maxIdLength) return tooLong(this.#taken[slot]!.name);
      this.#values[slot] = id;
    }
    for (const kind of keptIds) this.#keep(kind, object);
    if (typeof object['traceparent'] === 'string') this.#traceparent(object['traceparent']);
    return undefined;
  }

  /** Adds an id to the attributes. */
  #keep(kind: (typeof keptIds)[number] | 'correlationId', object: Parsed): void {
    const id = this.#values[slots[kind]];
    if (id === undefined) return;
    const given = this.#taken[slots[kind]]!;
    // Another member may already have the id's usual name.
    const other = given.name === kind ? undefined : object[kind];
    const member = other === undefined || other === null || other === '' ? `,"${kind}":` : given.member;
    this.#insert(slots[kind], member + JSON.stringify(id));
  }

  /** Reads W3C Trace Context, version-traceid-parentid-flags. The member stays an attribute for its flags. */
  #traceparent(text: string): void {
    const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(text);
    if (match === null || text.startsWith('ff') || isZero(match[1]!) || isZero(match[2]!)) return;
    this.#values[slots.traceId] ??= match[1];
    this.#values[slots.spanId] ??= match[2];
  }

  /** Inserts a member into the attributes where the name of the slot stood in the event. */
  #insert(slot: number, member: string): void {
    const mark = this.#marks[slot]!;
    this.#attributes = this.#attributes.slice(0, mark) + member + this.#attributes.slice(mark);
    for (let i = 0; i < slotCount; i++) if (this.#marks[i]! > mark) this.#marks[i]! += member.length;
  }

  /** {"attributes":{"a":1}} becomes the attribute a. If a name would then occur twice, the object stays as it is. */
  #mergeAttributes(object: Parsed): void {
    const given = this.#values[slots.attributes] as Parsed;
    let members = '';
    let clash = false;
    for (const key in given) {
      const { member } = this.#names.find(key);
      clash ||= this.#isAttribute(key, object) || this.#givenMembers.includes(member);
      members += member + jsonText(given[key], 1, this.#findings);
    }
    this.#insert(slots.attributes, clash ? `,"attributes":${jsonText(given, 1, this.#findings)}` : members);
  }

  #isAttribute(key: string, object: Parsed): boolean {
    if (key === 'requestId' && this.#taken[slots.requestId]) return true;
    if (key === 'sessionId' && this.#taken[slots.sessionId]) return true;
    if (!Object.hasOwn(object, key)) return key === 'level' && this.#taken[slots.level] !== null;
    const name = this.#names.find(key);
    return name.slot === noSlot || name.slot === slots.level || this.#taken[name.slot]?.name !== key;
  }

  #idInMessage(message: string): string | null {
    const text = message.length > maxSearchedLength ? message.slice(0, maxSearchedLength) : message;
    for (const pattern of this.#idPatterns) {
      const match = pattern.exec(text);
      const id = match?.[1] ?? match?.[0] ?? '';
      if (id !== '' && id.length <= maxIdLength && !isPlaceholderId(id)) return id;
    }
    return null;
  }
}

/** Whether the field of the name can have this value; if not, it is an attribute. */
function fits(name: FieldName, value: unknown, object: Parsed): boolean {
  if (value === null) return true;
  switch (name.slot) {
    case slots.timestamp:
    case slots.level:
      return true;
    case slots.message:
      return name.strict || typeof value === 'string';
    case slots.service:
      // In bunyan's events it names the application; elsewhere it can name anything.
      if (name.name === 'name' && !('v' in object && 'pid' in object && 'hostname' in object)) return false;
      return name.strict || typeof value === 'string';
    case slots.host:
      return name.strict || typeof value === 'string';
    case slots.attributes:
      return typeof value === 'object' && !Array.isArray(value);
    default:
      return typeof value === 'string' || typeof value === 'number';
  }
}

function isAbsent(name: FieldName, value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'string' || name.slot === slots.message) return false;
  return value === '' || ((name.slot === slots.traceId || name.slot === slots.spanId) && isZero(value));
}

function isZero(id: string): boolean {
  return id.charCodeAt(0) === 0x30 && /^0+$/.test(id);
}

function isSeverityNumber(name: FieldName): boolean {
  return name.name === 'severityNumber' || name.name === 'severity_number';
}

function tooLong(name: string): Rejection {
  return reject('bad-field', `${name} is longer than ${maxIdLength} characters`);
}
