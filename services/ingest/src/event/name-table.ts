import type { EventFormat } from './formats/event-format.ts';
import { formatMarkers } from './formats/known-formats.ts';
import {
  fieldNames,
  lifts,
  noSlot,
  slots,
  strictNames,
  traceHeaders,
  type Lift,
  type SlotName,
} from './field-names.ts';
import { scaleOf, type LevelScale } from './parse-level.ts';

/** The meaning of a name in an event. */
export interface FieldName {
  slot: number;
  /** The lowest rank wins. */
  rank: number;
  /** As it came; of a nested one its path. */
  name: string;
  /** The name as the beginning of a JSON member: `,"name":`. */
  member: string;
  /** Whether a value of another type is noted. */
  strict: boolean;
  /** Whether an object under this name may hold fields. */
  container: boolean;
  /** Whether the object stays whole, and its fields are taken from it all the same. */
  stays: boolean;
  /** Whether it is a header with a trace id and a span id. */
  isTraceHeader: boolean;
  /** Whether the name may tell the format of the event. */
  isMarker: boolean;
  /** Whether it is an attribute, whatever its value. */
  isPlain: boolean;
  /** How a number is read as a level. */
  scale: LevelScale;
  /** The name as documentation has it. */
  known: string;
  /** The meanings of the names inside, as they come. */
  children: Map<string, FieldName> | undefined;
}

/** Names of fields, the preferred one first. */
export type FieldNames = Partial<Readonly<Record<SlotName, readonly string[]>>>;

/** An exact name wins over one that matches without regard to case and separators, and that over one in an object around it. */
const foldedRank = 100;
const liftedRank = 200;
const headerRank = 400;
const formatRank = -100;
const ownRank = -200;
const containerRank = 1000;

const maxRemembered = 10_000;
const maxNameLength = 256;
/** A sender can make every name a new one: the work for each is bounded. */
const maxLifts = 3;
const maxDots = 3;

/**
 * Looks names up: in a format's own names first, then in those of all events. It remembers what it has found, up to a limit, so that the
 * usual names are neither folded nor quoted again for every event.
 */
export class NameTable {
  readonly #names = new Map<string, FieldName>();
  readonly #folded = new Map<string, FieldName>();
  readonly #lifts = new Map<string, Lift>();
  #remembered = 0;

  /** `format` adds its names; without, the table has those of all events. `own` are the user's, which come first. */
  constructor(format?: EventFormat, own: FieldNames = {}) {
    for (const [name, lift] of [...Object.entries(format?.lifts ?? {}), ...Object.entries(lifts)])
      if (!this.#lifts.has(fold(name))) this.#lifts.set(fold(name), lift);
    for (const [slot, names] of Object.entries(own))
      names.forEach((name, rank) => this.#define(slot as SlotName, name, ownRank + rank, undefined));
    for (const [slot, names] of Object.entries(format?.fields ?? {}))
      names.forEach((name, rank) => this.#define(slot as SlotName, name, formatRank + rank, format));
    for (const [slot, names] of Object.entries(fieldNames))
      names.forEach((name, rank) => this.#define(slot as SlotName, name, rank, undefined));
    traceHeaders.forEach((name, i) => {
      const header = { ...makeName(name, noSlot, headerRank + i), isTraceHeader: true };
      this.#add(name, header);
    });
    for (const name of Object.keys({ ...format?.lifts, ...lifts })) {
      // Its members become those of the event.
      if (name === 'attributes') continue;
      this.#contain(name);
      this.#containAround(name);
    }
    for (const name of format === undefined ? formatMarkers : []) this.#mark(name);
  }

  /** Returns the meaning of a name of the event itself. */
  find(name: string): FieldName {
    return this.#names.get(name) ?? this.#remember(name);
  }

  /** Returns the meaning of a name in the object under another name. */
  findIn(parent: FieldName, key: string): FieldName {
    const children = (parent.children ??= new Map<string, FieldName>());
    const known = children.get(key);
    if (known !== undefined) return known;
    const found = this.#meaning(`${parent.name}.${key}`);
    if (this.#remembered < maxRemembered && key.length <= maxNameLength) {
      this.#remembered++;
      children.set(key, found);
    }
    return found;
  }

  #define(slot: SlotName, name: string, rank: number, format: EventFormat | undefined): void {
    const before = this.#names.get(name);
    if (before !== undefined && before.slot !== noSlot) return;
    const field = { ...makeName(name, slots[slot], rank), container: before?.container ?? false };
    field.stays = before?.stays ?? false;
    field.scale = scaleOf(name, format?.levels);
    field.strict = strictNames.has(name) || (format !== undefined && slot === 'message');
    this.#add(name, field);
    this.#containAround(name);
  }

  #add(name: string, field: FieldName): void {
    this.#names.set(name, field);
    const folded = fold(name);
    if ((this.#folded.get(folded)?.rank ?? Infinity) > field.rank) this.#folded.set(folded, field);
  }

  /** The objects around a dotted name may hold it. */
  #containAround(name: string): void {
    for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1))
      this.#contain(name.slice(0, dot));
  }

  #contain(name: string): void {
    const lift = this.#lifts.get(fold(name));
    const field = this.#names.get(name) ?? makeName(name, noSlot, containerRank);
    field.container = true;
    field.stays = lift !== undefined && lift.leave !== true;
    this.#add(name, field);
    const folded = this.#folded.get(fold(name))!;
    folded.container = true;
    folded.stays = field.stays;
  }

  #mark(name: string): void {
    const known = this.#names.get(name) ?? this.#meaning(name);
    known.isMarker = true;
    this.#names.set(name, known);
  }

  #remember(name: string): FieldName {
    const found = this.#meaning(name);
    found.isPlain = found.slot === noSlot && !found.container && !found.isTraceHeader && !found.isMarker;
    if (this.#remembered < maxRemembered && name.length <= maxNameLength) {
      this.#remembered++;
      this.#names.set(name, found);
    }
    return found;
  }

  /** What a name means that is not among the exact ones. */
  #meaning(name: string, depth = 0): FieldName {
    if (name.length > maxNameLength) return makeName(name, noSlot, 0);
    const exact = this.#names.get(name);
    if (exact !== undefined) return { ...exact, children: undefined };
    const folded = this.#folded.get(fold(name));
    if (folded !== undefined && isAlike(name, folded.known))
      return {
        ...folded,
        name,
        member: memberOf(name),
        rank: folded.rank + foldedRank,
        isMarker: false,
        isPlain: false,
        children: undefined,
      };
    return this.#lifted(name, depth) ?? makeName(name, noSlot, 0);
  }

  /** mdc.traceId means what traceId means, where the object under mdc may hold it. */
  #lifted(name: string, depth: number): FieldName | undefined {
    if (depth === maxLifts) return undefined;
    let dots = 0;
    for (let dot = name.indexOf('.'); dot > 0 && dots < maxDots; dot = name.indexOf('.', dot + 1), dots++) {
      const lift = this.#lifts.get(fold(name.slice(0, dot)));
      if (lift === undefined) continue;
      const inner = this.#meaning(name.slice(dot + 1), depth + 1);
      const isHeld = inner.isTraceHeader
        ? lift.fields.includes('traceId')
        : lift.fields.some((slot) => slots[slot] === inner.slot);
      if (!isHeld && !inner.container) continue;
      return {
        ...inner,
        slot: isHeld ? inner.slot : noSlot,
        isTraceHeader: isHeld && inner.isTraceHeader,
        name,
        member: memberOf(name),
        rank: inner.rank + liftedRank,
        strict: false,
        stays: lift.leave !== true,
        isMarker: false,
        children: undefined,
      };
    }
    return undefined;
  }
}

/** A name without its case and separators. */
export function fold(name: string): string {
  return name.replace(/[^A-Za-z0-9\u0080-\uffff]+/g, '').toLowerCase();
}

/** Folding must not make `t.s` of `ts`: a short name has no separators inside. */
function isAlike(name: string, known: string): boolean {
  return known.length > 4 || /^[^A-Za-z0-9]*[A-Za-z0-9]+$/.test(name);
}

function memberOf(name: string): string {
  return `,${JSON.stringify(name)}:`;
}

function makeName(name: string, slot: number, rank: number): FieldName {
  return {
    slot,
    rank,
    name,
    member: memberOf(name),
    strict: false,
    container: false,
    stays: false,
    isTraceHeader: false,
    isMarker: false,
    isPlain: false,
    scale: 'size',
    known: name,
    children: undefined,
  };
}

/** The names of given fields: they win over every name in the event. */
export function givenName(name: SlotName): FieldName {
  return { ...makeName(name, slots[name], -1_000_000), strict: true };
}
