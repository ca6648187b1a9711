import type { EventLog, LogRecord } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import { WindowRun, type OrderedChange } from '@logloom/rules/windows';
import type { Serde } from '@logloom/schema-registry';
import { placeEvent, topics } from '@logloom/schemas';
import { LogClock } from '@logloom/event-log/log-clock';

/** All records of a partition. */
export async function readAll(log: EventLog, topic: string, partition: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let next = 0; ; next = all.at(-1)!.offset + 1) {
    const records = await log.read(topic, partition, next, 10_000);
    if (records.length === 0) return all;
    all.push(...records);
  }
}

/** What rules that were in force from the beginning say of a log with its documents, partition by partition and in one process. */
export async function recountAlerts(
  log: EventLog,
  serde: Serde,
  rules: RuleSet,
  untilMs: number,
): Promise<OrderedChange[]> {
  const partitions = await log.partitionCount(topics.events);
  const epoch = await log.epochOf(topics.events);
  const run = new WindowRun(partitions);
  const changes: OrderedChange[] = [];
  const ends: number[] = [];
  for (let p = 0; p < partitions; p++) {
    const events = await readAll(log, topics.events, p);
    const documents = await readAll(log, topics.correlations, p);
    await serde.load([...events, ...documents].map(({ value }) => value));
    const closed = documents.flatMap(({ value }) => {
      const decoded = serde.decode(value);
      return decoded.name === 'Correlation' ? [decoded.value] : [];
    });
    const clock = new LogClock();
    let next = 0;
    for (const { value, timestampMs, offset } of events) {
      clock.advance(timestampMs);
      const decoded = serde.decode(value);
      if (decoded.name === 'Rules' && ends[p] === undefined) {
        changes.push(...run.setRules(p, rules, clock.nowMs));
        ends[p] = 0;
      }
      changes.push(...run.advance(p, clock.nowMs));
      if (decoded.name === 'LogEvent')
        run.addEvent(p, placeEvent(decoded.value, epoch, p, offset), clock.nowMs);
      for (; closed[next] !== undefined && closed[next]!.closeOffset <= offset; next++)
        run.addRequest(p, closed[next]!, closed[next]!.closedAt);
    }
    changes.push(...run.advance(p, clock.nowMs + 1000));
    ends[p] = clock.nowMs;
  }
  return changes.filter(({ atMs }) => atMs <= untilMs);
}
