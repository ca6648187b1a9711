import {
  idKinds,
  isPlaceholderId,
  type IdKind,
  type Level,
  type LogEvent,
  type Source,
} from '@logloom/schemas';
import { reject, type Rejection } from '../errors.ts';
import { EventFields, maxIdLength, type Parsed } from './event-fields.ts';
import { noSlot, slots, type SlotName } from './field-names.ts';
import type { EventFormat, MadeFields } from './formats/event-format.ts';
import { formatOf } from './formats/known-formats.ts';
import { forEachIdInText, type TextId } from './ids-in-text.ts';
import { jsonText } from './json-text.ts';
import { makeMessage } from './made-message.ts';
import { givenName, NameTable, type FieldNames } from './name-table.ts';
import { levelOfText } from './parse-level.ts';
import { notesMember, notesName } from './parse-notes.ts';
import { parseJsonObject } from './parse-json.ts';
import { parseTimestamp } from './parse-timestamp.ts';
import type { UserFormats } from '../text/formats/user-formats.ts';
import { readText } from '../text/read-text.ts';
import type { TimeZone } from '../text/time/time-zone.ts';
import { canonicalSpanId, canonicalTraceId } from './trace-context.ts';

/** How much of a message is searched for an id, so that the work of the patterns is bounded. */
const maxSearchedLength = 16_384;
/** What an application says in a text inside an event wins over what a shipper says around it. */
const innerRank = -10_000;
const brace = 0x7b;
/** A header of a line is longer than the one and within the other. */
const minTextLength = 4;
const maxTextLength = 4096;
const maxZones = 1000;

/** An event, or why it was refused. */
export type Normalized =
  | {
      ok: LogEvent;
      /** Whether it holds numbers that JSON.parse may have rounded: see readEvent(). */
      rounded: boolean;
    }
  | Rejection;

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
  /** The message where the event has none and none can be made. */
  otherwise?: string | undefined;
  /** Further attributes as JSON members, `,"name":value`. Their names must not occur elsewhere in the event. */
  members?: string | undefined;
}

const nothing: GivenFields = {};
const givenSlots = ['timestamp', 'level', 'message', 'service', 'host', 'traceId', 'spanId'] as const;
const givenNames = Object.fromEntries(
  [...givenSlots, 'correlationId' as const, 'requestId' as const].map((name) => [name, givenName(name)]),
);
const madeSlots = ['timestamp', 'level', 'message'] as const;

/** Ids that have no field in a LogEvent and are kept as attributes under these names. */
const keptIds = ['requestId', 'sessionId'] as const;
/** The same where the correlation id is another one. */
const allKeptIds = [...keptIds, 'correlationId'] as const;
type KeptId = (typeof allKeptIds)[number];

export interface NormalizerOptions {
  /** The first that an event has is its correlation id. */
  idOrder?: readonly IdKind[];
  /** Of times without a zone; default: UTC. */
  zone?: TimeZone | undefined;
  /** A user's formats of plain text, by which messages are read. */
  formats?: UserFormats | undefined;
  /** A user's own names of fields. */
  names?: FieldNames | undefined;
}

/**
 * Makes LogEvents from parsed JSON objects: the names in field-names.ts, and those of the event's format, become fields, everything else
 * becomes `attributes` with its nesting, order and types. No event is refused for one field: what cannot be read stays an attribute, and
 * the attribute `parseNotes` says so. Pure except for the names that it remembers.
 */
export class Normalizer {
  #idPatterns: readonly RegExp[];
  readonly #idOrder: readonly IdKind[];
  readonly #own: FieldNames | undefined;
  #names: NameTable;
  #formatNames = new Map<EventFormat, NameTable>();
  #zones = new Map<TimeZone, Normalizer>();
  readonly #fields: EventFields;
  readonly formats: UserFormats | undefined;

  // Of the event in work.
  #givenMembers = '';

  /** `idPatterns` find a correlation id in the message of an event that has none in a field: group 1, or else the whole match. */
  constructor(
    idPatterns: readonly string[],
    { idOrder = idKinds, zone, formats, names }: NormalizerOptions = {},
  ) {
    this.formats = formats;
    this.#own = names;
    this.#names = new NameTable(undefined, names);
    this.#idOrder = idOrder;
    this.#idPatterns = idPatterns.map((pattern) => new RegExp(pattern, 'u'));
    this.#fields = new EventFields(zone);
  }

  /** The zone of times without one. */
  get zone(): TimeZone {
    return this.#fields.time.zone;
  }

  /** The same for times in another zone where they name none. */
  inZone(zone: TimeZone): Normalizer {
    const known = zone === this.#fields.time.zone ? this : this.#zones.get(zone);
    if (known !== undefined) return known;
    const other = new Normalizer([], {
      idOrder: this.#idOrder,
      zone,
      formats: this.formats,
      names: this.#own,
    });
    other.#idPatterns = this.#idPatterns;
    other.#names = this.#names;
    other.#formatNames = this.#formatNames;
    other.#zones = this.#zones;
    if (this.#zones.size < maxZones) this.#zones.set(zone, other);
    return other;
  }

  /** `receivedAtMs` (since 1970) replaces a missing timestamp. */
  normalize(object: Parsed, source: Source, receivedAtMs: number): Normalized {
    return this.normalizeGiven(nothing, object, source, receivedAtMs);
  }

  /** Makes an event of a format with fields of its own. `object` is the rest, in which the remaining fields are looked up by name. */
  normalizeGiven(given: GivenFields, object: Parsed, source: Source, receivedAtMs: number): Normalized {
    const fields = this.#fields;
    this.#begin(given, receivedAtMs);
    const count = fields.members(object, this.#names);
    if (count === 0 && fields.taken.every((name) => name === null)) return reject('empty-event');
    let format: EventFormat | undefined;
    if (fields.isMarked && (format = formatOf(object)) !== undefined) {
      this.#begin(given, receivedAtMs);
      this.#read(object, format);
    }
    const inner = this.#innerEvent();
    const text = fields.values[slots.message] as string | undefined;
    if (inner !== undefined) format = this.#readInner(inner, object, format, given, receivedAtMs) ?? format;
    if (given.members !== undefined) {
      fields.attributes += given.members;
      this.#givenMembers = given.members;
    }
    if (fields.taken[slots.message] === null)
      this.#makeMessage(inner ?? object, text ?? given.otherwise ?? '');
    else if (fields.taken[slots.level] === null) this.#readText();
    return this.#finish(object, format, source, receivedAtMs);
  }

  /** What the message of an event without a level says in a known layout: shippers hand on the lines of files as they are. */
  #readText(): void {
    const { values, taken, time } = this.#fields;
    const message = values[slots.message] as string;
    if (message.length < minTextLength) return;
    const text = readText(message.length > maxTextLength ? message.slice(0, maxTextLength) : message, time);
    const level = typeof text['level'] === 'string' ? levelOfText(text['level']) : undefined;
    if (level !== undefined) values[slots.level] = level;
    for (const field of ['timestamp', 'traceId', 'spanId', 'requestId'] as const) {
      const value = text[field];
      if (value === undefined || taken[slots[field]] !== null) continue;
      if (field === 'timestamp') this.#giveMade({ timestamp: value });
      else if (typeof value === 'string') this.#giveId(field, value);
    }
  }

  #giveId(field: TextId, id: string): void {
    if (isPlaceholderId(id) || id.length > maxIdLength) return;
    this.#fields.give(slots[field], givenNames[field]!, canonical(field, id));
  }

  /** `text` is the message where nothing better can be made. */
  #makeMessage(event: Parsed, text: string): void {
    const made = makeMessage(event);
    const { values } = this.#fields;
    values[slots.message] = made?.message ?? text;
    values[slots.level] ??= made?.level;
  }

  #begin(given: GivenFields, receivedAtMs: number): void {
    this.#fields.begin(receivedAtMs);
    this.#givenMembers = '';
    if (given === nothing) return;
    for (const field of givenSlots) {
      const value = given[field];
      if (value === undefined) continue;
      if (field === 'timestamp' && !this.#fields.isInRange(value as number)) {
        this.#fields.noteTime(value as number);
        continue;
      }
      this.#fields.give(slots[field], givenNames[field]!, canonical(field, value));
    }
  }

  /** Reads the members of an event in a format. */
  #read(object: Parsed, format: EventFormat | undefined): void {
    const made = format?.make?.(object);
    if (made !== undefined) this.#giveMade(made);
    this.#fields.members(object, this.#namesOf(format));
  }

  #giveMade(made: MadeFields): void {
    for (const field of madeSlots) {
      if (this.#fields.taken[slots[field]] !== null) continue;
      const given = made[field];
      const value =
        field === 'timestamp'
          ? parseTimestamp(given, this.#fields.time)
          : field === 'level'
            ? levelOfText(String(given))
            : given;
      if (given === undefined || value === undefined) continue;
      if (field === 'timestamp' && !this.#fields.isInRange(value as number)) continue;
      this.#fields.give(slots[field], givenNames[field]!, value);
    }
  }

  #namesOf(format: EventFormat | undefined): NameTable {
    if (format === undefined) return this.#names;
    let names = this.#formatNames.get(format);
    if (names === undefined) this.#formatNames.set(format, (names = new NameTable(format, this.#own)));
    return names;
  }

  /** The event in the message: as shippers hand on the lines of programs that log JSON, or in a format of the user's. */
  #innerEvent(): Parsed | undefined {
    const message = this.#fields.values[slots.message];
    if (typeof message !== 'string') return undefined;
    const start = message.charCodeAt(0) === brace ? message : message.trimStart();
    if (start.charCodeAt(0) !== brace) return this.formats?.read(message, this.#fields.time);
    const inner = parseJsonObject(start.trimEnd());
    return inner !== undefined && this.#looksLikeEvent(inner) ? inner : undefined;
  }

  /** Whether an object has a message or a level of its own: other JSON is a text that someone logged. */
  #looksLikeEvent(object: Parsed): boolean {
    for (const key in object) {
      const { slot } = this.#names.find(key);
      const value = object[key];
      if (slot === slots.message && typeof value === 'string') return true;
      if (slot === slots.level && (typeof value === 'string' || typeof value === 'number')) return true;
    }
    return formatOf(object) !== undefined;
  }

  /** Reads the inner event and what stands around it. Members that both have stay those of the inner one, the others go to `outer`. */
  #readInner(
    inner: Parsed,
    outer: Parsed,
    outerFormat: EventFormat | undefined,
    given: GivenFields,
    receivedAtMs: number,
  ): EventFormat | undefined {
    const fields = this.#fields;
    const around = fields.taken[slots.message]!;
    this.#begin({ ...given, message: undefined }, receivedAtMs);
    const format = formatOf(inner);
    fields.rankShift = innerRank;
    this.#read(inner, format);
    fields.rankShift = 0;
    fields.skipped = around;
    let twice = '';
    fields.members(outer, this.#namesOf(outerFormat), inner, (member) => (twice += member));
    let name = 'outer';
    while (name in inner || name in outer) name += '_';
    if (twice !== '') fields.attributes += `,"${name}":{${twice.slice(1)}}`;
    return format;
  }

  #finish(object: Parsed, format: EventFormat | undefined, source: Source, receivedAtMs: number): Normalized {
    const fields = this.#fields;
    const { values } = fields;
    const message = values[slots.message] as string;
    if (this.#hasNoId()) this.#idsInText(message);
    let correlationId: string | null = null;
    let correlationKind: string | null = null;
    for (const kind of this.#idOrder) {
      const id = values[slots[kind]] as string | undefined;
      if (id === undefined) continue;
      correlationId = id;
      correlationKind = kind;
      break;
    }
    const kept = correlationKind === 'correlationId' ? keptIds : allKeptIds;
    const around = fields.taken[slots.attributes];
    const merged = around ? this.#mergedAttributes(object, kept) : undefined;
    for (const kind of keptIds) this.#keep(kind, object, merged);
    fields.keepSpelling(slots.traceId);
    fields.keepSpelling(slots.spanId);
    if (kept === allKeptIds) this.#keep('correlationId', object, merged);
    if (around)
      fields.insert(
        slots.attributes,
        merged ?? around.member + jsonText(values[slots.attributes], 1, fields.findings),
      );
    if (correlationId === null) {
      correlationId = this.#idInMessage(message);
      if (correlationId !== null) correlationKind = 'message';
    }
    if (fields.findings.tooDeep) return reject('too-deep');
    if (fields.notes.length > 0) this.#addNotes();
    const { attributes } = fields;
    return {
      ok: {
        source,
        timestamp: (values[slots.timestamp] as number | undefined) ?? receivedAtMs * 1000,
        receivedAt: receivedAtMs,
        level: (values[slots.level] as Level | undefined) ?? 'info',
        service: (values[slots.service] as string | undefined) ?? format?.service ?? 'unknown',
        host: (values[slots.host] as string | undefined) ?? null,
        message,
        correlationId,
        correlationKind,
        traceId: (values[slots.traceId] as string | undefined) ?? null,
        spanId: (values[slots.spanId] as string | undefined) ?? null,
        attributes: attributes === '' ? '{}' : `{${attributes.slice(1)}}`,
      },
      rounded: fields.findings.rounded,
    };
  }

  #hasNoId(): boolean {
    const { taken } = this.#fields;
    for (const kind of this.#idOrder) if (taken[slots[kind]] !== null) return false;
    return true;
  }

  /** Takes the ids that the message names. */
  #idsInText(message: string): void {
    const fields = this.#fields;
    const text = message.length > maxSearchedLength ? message.slice(0, maxSearchedLength) : message;
    forEachIdInText(text, (field, id) => {
      if (fields.taken[slots[field]] === null) this.#giveId(field, id);
    });
  }

  /** What was not understood, as far as no other name said it. */
  #addNotes(): void {
    const fields = this.#fields;
    const notes = fields.notes.filter(({ slot }) => fields.taken[slot] === null);
    if (notes.length > 0) fields.attributes += notesMember(notes);
  }

  /** Adds an id to the attributes, unless what was merged into them has it in its place. */
  #keep(kind: KeptId, object: Parsed, merged: string | undefined): void {
    const id = this.#fields.values[slots[kind]];
    if (id === undefined || (merged !== undefined && this.#isInAttributes(kind, object))) return;
    const given = this.#fields.taken[slots[kind]]!;
    // Another member may already have the id's usual name.
    const other = given.name === kind ? undefined : object[kind];
    const member = other === undefined || other === null || other === '' ? `,"${kind}":` : given.member;
    this.#fields.insert(slots[kind], member + JSON.stringify(id));
  }

  /** Whether the event's `attributes`, and not the event itself, have an id under its usual name. */
  #isInAttributes(kind: KeptId, object: Parsed): boolean {
    const { values } = this.#fields;
    const attributes = values[slots.attributes] as Parsed;
    return !Object.hasOwn(object, kind) && attributes[kind] === values[slots[kind]];
  }

  /** {"attributes":{"a":1}} becomes the attribute a. Undefined where a name would then occur twice: the object stays as it is. */
  #mergedAttributes(object: Parsed, kept: readonly KeptId[]): string | undefined {
    const fields = this.#fields;
    const attributes = fields.values[slots.attributes] as Parsed;
    let members = '';
    for (const key in attributes) {
      const { member } = this.#names.find(key);
      if (this.#isAttribute(key, object, kept) || this.#givenMembers.includes(member)) return undefined;
      members += member + jsonText(attributes[key], 1, fields.findings);
    }
    return members;
  }

  #isAttribute(key: string, object: Parsed, kept: readonly KeptId[]): boolean {
    const { taken } = this.#fields;
    const kind = kept.find((each) => each === key);
    if (kind !== undefined && taken[slots[kind]]) return !this.#isInAttributes(kind, object);
    if (!Object.hasOwn(object, key)) return key === notesName;
    const { slot } = this.#names.find(key);
    // The spelling of a trace or span id may stay an attribute.
    return slot === noSlot || taken[slot]?.name !== key || slot === slots.traceId || slot === slots.spanId;
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

function canonical<T>(field: SlotName, value: T): T | string {
  if (typeof value !== 'string') return value;
  return field === 'traceId' ? canonicalTraceId(value) : field === 'spanId' ? canonicalSpanId(value) : value;
}
