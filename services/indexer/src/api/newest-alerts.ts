import { offsetBefore, type EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { topics, type Alert } from '@logloom/schemas';
import { setImmediate as yieldToIo } from 'node:timers/promises';
import { isRaised } from '../alerts/alert-history.ts';
import { readEntry, type HistoryEntry } from '../alerts/history-entry.ts';
import type { Searchable } from '../alerts/alert-subject.ts';

const recordsPerRead = 1000;
/** How many records of a partition are looked at. */
const lookedAt = 20_000;

/** The newest alerts that rules have raised, the newest first, at most `limit`. Duplicates of an alert are left out. */
export async function newestAlerts(
  log: EventLog,
  serde: Serde,
  limit: number,
  matches: (searchable: Searchable) => boolean = () => true,
): Promise<Alert[]> {
  const [starts, ends] = await Promise.all([log.startOffsets(topics.alerts), log.endOffsets(topics.alerts)]);
  const alerts = new Map<string, Alert>();
  for (const [partition, end] of ends.entries()) {
    const first = Math.max(starts[partition]!, offsetBefore(log, topics.alerts, partition, end, lookedAt));
    let found = 0;
    for (let to = end; to > first && found < limit;) {
      const before = offsetBefore(log, topics.alerts, partition, to, Math.max(limit, recordsPerRead));
      const from = Math.max(first, before);
      for (const { alert, searchable } of await entriesOf(log, serde, partition, from, to)) {
        if (alert === undefined || !isRaised(alert) || !matches(searchable)) continue;
        alerts.set(alert.id, alert);
        found++;
      }
      to = from;
    }
  }
  return [...alerts.values()].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1)).slice(0, limit);
}

async function entriesOf(
  log: EventLog,
  serde: Serde,
  partition: number,
  from: number,
  to: number,
): Promise<HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  for (let next = from; next < to;) {
    const records = await log.read(topics.alerts, partition, next, to - next);
    if (records.length === 0) break;
    await serde.load(records.map((record) => record.value));
    await yieldToIo();
    for (const record of records) {
      const entry = record.offset < to ? readEntry(serde, record) : undefined;
      if (entry !== undefined) entries.push(entry);
    }
    next = records.at(-1)!.offset + 1;
  }
  return entries;
}
