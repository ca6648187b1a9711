import { connectLog } from '@logloom/runtime';
import { placeEvent, topics, type PlacedEvent } from '@logloom/schemas';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import type { LogRecord } from '../../libs/event-log/src/index.ts';
import type { Task } from './task.ts';

const atOnce = 5_000;

/** The records of logs.events from the task's offsets on, per partition. */
export async function recordedEvents({
  env,
  from,
}: Task): Promise<{ records: LogRecord[]; events: PlacedEvent[] }[]> {
  await using connection = await connectLog(parseSettings(env));
  const { log, serde } = connection;
  const ends = await log.endOffsets(topics.events);
  const epoch = await log.epochOf(topics.events);
  return await Promise.all(
    from.map(async (start, partition) => {
      const records: LogRecord[] = [];
      for (let next = start; next < ends[partition]!; next = records.at(-1)!.offset + 1)
        records.push(...(await log.read(topics.events, partition, next, atOnce)));
      await serde.load(records.map(({ value }) => value));
      const events = records.map(({ value, offset }) => {
        const decoded = serde.decode(value);
        if (decoded.name !== 'LogEvent') throw new Error(`a ${decoded.name} among the events`);
        return placeEvent(decoded.value, epoch, partition, offset);
      });
      return { records, events };
    }),
  );
}
