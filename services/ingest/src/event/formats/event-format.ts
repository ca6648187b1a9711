import type { Lift, SlotName } from '../field-names.ts';
import type { LevelScale } from '../parse-level.ts';

/** A form of events whose names mean more, or something else, than in other events. */
export interface EventFormat {
  /** As docs/formats.md lists it. */
  name: string;
  /** Where it is documented. */
  source: string;
  /** An event has the format if it has all the names of one of these lists, exactly; a dotted name is a nested one. */
  has: readonly (readonly string[])[];
  /** Its own names of fields, the preferred one first. They win over those of all events. */
  fields?: Partial<Readonly<Record<SlotName, readonly string[]>>>;
  /** Its objects that hold fields. */
  lifts?: Readonly<Record<string, Lift>>;
  /** How it numbers levels. */
  levels?: LevelScale;
  /** The service where the event names none. */
  service?: string;
  /** Fields that are made of several members; they win over all names. */
  make?: (event: Readonly<Record<string, unknown>>) => MadeFields;
}

export interface MadeFields {
  /** In any form of parseTimestamp(). */
  timestamp?: unknown;
  level?: string | undefined;
  message?: string | undefined;
}
