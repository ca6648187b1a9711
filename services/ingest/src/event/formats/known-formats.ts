import type { EventFormat } from './event-format.ts';
import { loggerFormats } from './logger-formats.ts';
import { platformFormats } from './platform-formats.ts';

type Event = Readonly<Record<string, unknown>>;

/** The formats that ingest knows; the first that an event has counts. */
export const knownFormats: readonly EventFormat[] = [...loggerFormats, ...platformFormats];

/** One name of each list that tells a format: an event without any of them has none. */
export const formatMarkers: readonly string[] = [
  ...new Set(knownFormats.flatMap(({ has }) => has.map((names) => names[0]!.split('.', 1)[0]!))),
];

/** The format of an event; undefined where it has none of the known ones. */
export function formatOf(event: Event): EventFormat | undefined {
  return knownFormats.find(({ has }) => has.some((names) => names.every((name) => hasName(event, name))));
}

function hasName(event: Event, name: string): boolean {
  if (name in event) return true;
  const dot = name.indexOf('.');
  if (dot < 0) return false;
  const inner = event[name.slice(0, dot)];
  return typeof inner === 'object' && inner !== null && hasName(inner as Event, name.slice(dot + 1));
}
