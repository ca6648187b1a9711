import { alertDefaults, type Alert } from '@logloom/schemas';
import type { AlertStateName } from './alert-state.ts';

/** The writer of the book's own records. */
export const bookWriter = 'book';
/** How long an alert of a rule over one request fires after the last match, unless the rule says otherwise. */
export const defaultResolveAfterMs = 15 * 60_000;
export const maxExamples = 5;

/** A record of an alert at its place. */
export interface PlacedAlert {
  alert: Alert;
  offset: number;
  /** The append time in ms since 1970. */
  appendedMs: number;
  /** The epoch of the log that the alert is about; undefined in records of earlier releases. */
  epoch: string | undefined;
}

/**
 * What the records of one partition say of one alert. A function of these records in offset order: the partitions of an alert are joined
 * only where it is looked at, so it does not matter in which order they were read.
 */
export interface AlertPart {
  state: AlertStateName;
  startsAt: number;
  /** The append times of the record that started it and of the last one that raised it. */
  startedMs: number;
  raisedMs: number;
  endsAt: number | null;
  lastAt: number;
  /** The offset of the last record that raised it. */
  lastOffset: number;
  occurrences: number;
  /** The newest first. */
  examples: string[];
  latest: Alert;
  epoch: string | undefined;
}

/** The part after one more record; the same object if the record changes nothing. */
export function applyToPart(part: AlertPart | undefined, placed: PlacedAlert): AlertPart | undefined {
  const { alert } = placed;
  if (alert.writer === bookWriter) return applyOwn(part, placed);
  if (part !== undefined && part.epoch === placed.epoch && !isAhead(alert, part.latest)) return part;
  if (alert.state === 'resolved') {
    if (part === undefined || part.state === 'resolved') return part;
    // It never came to fire.
    if (part.state === 'pending') return undefined;
    return { ...part, state: 'resolved', endsAt: alert.endsAt ?? alert.at, latest: alert };
  }
  return raised(part, placed);
}

function raised(part: AlertPart | undefined, { alert, offset, appendedMs, epoch }: PlacedAlert): AlertPart {
  const isOn = part !== undefined && part.state !== 'resolved';
  const state = alert.state === 'pending' ? 'pending' : 'firing';
  const examples = [...alert.examples, ...(isOn ? part.examples : [])];
  // Records of earlier releases have no examples.
  if (examples.length === 0 && alert.correlationId !== '') examples.push(alert.correlationId);
  return {
    state,
    startsAt: alert.startsAt ?? (isOn ? Math.min(part.startsAt, alert.at) : alert.at),
    startedMs: isOn ? part.startedMs : appendedMs,
    raisedMs: appendedMs,
    endsAt: null,
    lastAt: isOn ? Math.max(part.lastAt, alert.at) : alert.at,
    lastOffset: offset,
    occurrences: (isOn ? part.occurrences : 0) + (state === 'firing' ? 1 : 0),
    examples: [...new Set(examples)].slice(0, maxExamples),
    latest: alert,
    epoch,
  };
}

/** What the book itself wrote: the end of an alert, or, in front of a part of the log that is removed, that it still goes on. */
function applyOwn(
  part: AlertPart | undefined,
  { alert, offset, appendedMs, epoch }: PlacedAlert,
): AlertPart | undefined {
  if (alert.state === 'resolved') {
    // The rule has matched again meanwhile, or another owner of the book has said the same.
    if (part === undefined || part.state === 'resolved' || part.lastOffset > alert.closeOffset) return part;
    return { ...part, state: 'resolved', endsAt: alert.endsAt ?? alert.at };
  }
  if (part !== undefined) return part;
  return {
    state: alert.state === 'pending' ? 'pending' : 'firing',
    startsAt: alert.startsAt ?? alert.at,
    startedMs: alert.startsAt ?? appendedMs,
    raisedMs: appendedMs,
    endsAt: null,
    lastAt: alert.at,
    lastOffset: offset,
    occurrences: alert.occurrences ?? 1,
    examples: alert.examples.slice(0, maxExamples),
    // It has no position among those of the alert's writer.
    latest: { ...alert, closeOffset: -1, closeSequence: -1, index: -1, writer: alertDefaults.writer },
    epoch,
  };
}

/** The alert's own record that ends it, for this part; `whole` is the alert of all its parts. */
export function resolvedRecord(
  part: AlertPart,
  fingerprint: string,
  whole: { startsAt: number; endsAt: number; occurrences: number; examples: readonly string[] },
): Alert {
  const { startsAt, endsAt, occurrences, examples } = whole;
  return {
    ...ownRecord(part, fingerprint, startsAt),
    occurrences,
    examples: [...examples],
    id: `${fingerprint}-${startsAt}-resolved`,
    state: 'resolved',
    at: endsAt,
    endsAt,
  };
}

/** The alert's own record that says that it still goes on. */
export function continuedRecord(part: AlertPart, fingerprint: string, startsAt: number): Alert {
  return {
    ...ownRecord(part, fingerprint, startsAt),
    id: `${fingerprint}-${startsAt}-continued`,
    state: part.state,
    at: part.lastAt,
  };
}

function ownRecord(part: AlertPart, fingerprint: string, startsAt: number): Alert {
  return {
    ...part.latest,
    writer: bookWriter,
    fingerprint,
    startsAt,
    endsAt: null,
    // Nobody is called by the rule's own webhook for it.
    webhook: null,
    occurrences: part.occurrences,
    examples: part.examples,
    closeOffset: part.lastOffset,
    closeSequence: 0,
    index: 0,
  };
}

function isAhead(a: Alert, b: Alert): boolean {
  return (a.closeOffset - b.closeOffset || a.closeSequence - b.closeSequence || a.index - b.index) > 0;
}
