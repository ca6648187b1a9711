import { offsetBefore, type EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { alertToJson, topics, type Alert, type AlertJson } from '@logloom/schemas';

/** The newest alerts of the log, the newest first, at most `limit`. Duplicates of an alert are left out. */
export async function newestAlerts(log: EventLog, serde: Serde, limit: number): Promise<AlertJson[]> {
  const ends = await log.endOffsets(topics.alerts);
  const alerts = new Map<string, Alert>();
  for (const [partition, end] of ends.entries()) {
    for (let next = Math.max(0, offsetBefore(log, topics.alerts, partition, end, limit)); next < end;) {
      const records = await log.read(topics.alerts, partition, next, Math.min(limit, end - next));
      if (records.length === 0) break;
      await serde.load(records.map((record) => record.value));
      for (const record of records) {
        const decoded = serde.decode(record.value);
        if (decoded.name === 'Alert') alerts.set(decoded.value.id, decoded.value);
      }
      next = records.at(-1)!.offset + 1;
    }
  }
  return [...alerts.values()]
    .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
    .slice(0, limit)
    .map(alertToJson);
}
