import { offsetBefore, type EventLog, type LogRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { topics, type Alert } from '@logloom/schemas';
import { setImmediate as yieldToIo } from 'node:timers/promises';
import { bookWriter } from './alert-part.ts';
import { readEntry, type HistoryEntry } from './history-entry.ts';

export interface HistoryDeps {
  log: Pick<EventLog, 'read' | 'startOffsets' | 'endOffsets' | 'offsetsByTime' | 'skippedOffsets'>;
  serde: Serde;
}

export interface HistoryQuery {
  matches: (entry: HistoryEntry) => boolean;
  limit: number;
  /** Append times in ms since 1970; `toMs` is exclusive. */
  fromMs?: number | undefined;
  toMs?: number | undefined;
  /** Per partition, the offset below which it reads. */
  below?: readonly number[] | undefined;
}

const recordsPerRead = 500;
/** How many records a page looks at, so that a rare one cannot hold up others. */
const recordsPerPage = 20_000;

/**
 * What happened to alerts, the newest first by append time: their records, silences and acknowledgements. A page ends after `limit`
 * entries, or when it has looked at many records; `next` is for the following one, absent when there is nothing more.
 */
export async function alertHistory(
  { log, serde }: HistoryDeps,
  { matches, limit, fromMs, toMs, below }: HistoryQuery,
): Promise<{ entries: HistoryEntry[]; next?: number[] }> {
  const [starts, ends] = await Promise.all([
    fromMs === undefined ? log.startOffsets(topics.alerts) : log.offsetsByTime(topics.alerts, fromMs),
    toMs === undefined ? log.endOffsets(topics.alerts) : log.offsetsByTime(topics.alerts, toMs),
  ]);
  /** Everything from here on was returned, or does not match. */
  const next = ends.map((end, partition) => Math.min(below?.[partition] ?? end, end));
  const unread = [...next];
  const waiting: LogRecord[][] = next.map(() => []);
  const entries: HistoryEntry[] = [];
  const resolved = new Set<string>();
  let looked = 0;
  while (entries.length < limit && looked < recordsPerPage) {
    for (const [partition, records] of waiting.entries()) {
      while (records.length === 0 && unread[partition]! > starts[partition]!) {
        const before = offsetBefore(log, topics.alerts, partition, unread[partition]!, recordsPerRead);
        const from = Math.max(starts[partition]!, before);
        records.push(...(await readRange(log, partition, from, unread[partition]!)));
        unread[partition] = from;
        if (records.length === 0) next[partition] = from;
      }
    }
    const newest = takeNewest(waiting);
    if (newest === undefined) break;
    looked++;
    next[newest.partition] = newest.offset;
    await serde.load([newest.value]);
    const entry = readEntry(serde, newest);
    if (entry === undefined || !matches(entry)) continue;
    // An end is written to each partition of the alert.
    if (entry.alert?.writer === bookWriter) {
      if (resolved.has(entry.alert.id)) continue;
      resolved.add(entry.alert.id);
    }
    entries.push(entry);
  }
  const isEnd = next.every((offset, partition) => offset <= starts[partition]!);
  return isEnd ? { entries } : { entries, next };
}

/** The records of [from, to), in offset order. */
async function readRange(
  log: HistoryDeps['log'],
  partition: number,
  from: number,
  to: number,
): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for (let position = from; position < to;) {
    const records = await log.read(topics.alerts, partition, position, to - position);
    if (records.length === 0) break;
    await yieldToIo();
    found.push(...records.filter(({ offset }) => offset < to));
    position = records.at(-1)!.offset + 1;
  }
  return found;
}

/** Takes the record with the latest append time; those of a partition are in offset order. */
function takeNewest(waiting: readonly LogRecord[][]): LogRecord | undefined {
  let newest: LogRecord[] | undefined;
  for (const records of waiting) {
    const record = records.at(-1);
    if (record === undefined) continue;
    if (newest === undefined || record.timestampMs > newest.at(-1)!.timestampMs) newest = records;
  }
  return newest?.pop();
}

/** Whether the record says that a rule raised an alert. */
export function isRaised({ state, writer }: Alert): boolean {
  return state === 'firing' && writer !== bookWriter;
}
