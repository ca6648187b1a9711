import { defaultRepeatStrategy, type RepeatOptions } from 'bullmq';
import { dataToJson } from '../check-job.ts';
import { JobQueueError } from '../job-queue-error.ts';
import type { Schedule } from '../job-queue.ts';
import { encode } from './ids.ts';
import type { BullStore } from './store.ts';

/** Sets a schedule; see JobQueue.schedule. A schedule of the same id under another name ends. */
export async function putSchedule(
  store: BullStore,
  id: string,
  schedule: Schedule,
  name: string,
  data: unknown,
): Promise<void> {
  dataToJson(name, data);
  const repeat = repeatOf(id, schedule);
  const queue = await store.queue(name);
  const schedulerId = encode(id);
  await store.locked(async () => {
    for (const one of await store.queues()) {
      const before = await one.getJobScheduler(schedulerId);
      // Also if only the interval changed: BullMQ 6.7 keeps the offset of the old one, and a late job delays the next by that much.
      if (
        before !== undefined &&
        (one !== queue || before.every !== repeat.every || before.pattern !== repeat.pattern)
      )
        await one.removeJobScheduler(schedulerId);
    }
    await queue.upsertJobScheduler(schedulerId, repeat, { name, data });
  });
}

/** Ends a schedule; false when there is none. */
export async function deleteSchedule(store: BullStore, id: string): Promise<boolean> {
  const removed = await Promise.all(
    (await store.queues()).map((queue) => queue.removeJobScheduler(encode(id))),
  );
  return removed.includes(true);
}

function repeatOf(id: string, schedule: Schedule): RepeatOptions {
  if ('cron' in schedule) {
    checkCron(id, schedule.cron);
    return { pattern: schedule.cron, tz: 'UTC' };
  }
  const { everyMs } = schedule;
  if (!(Number.isSafeInteger(everyMs) && everyMs >= 1))
    throw new JobQueueError('unsupported-schedule', `${id}: everyMs must be a whole number from 1`);
  // Used only where there is no schedule with this interval yet: BullMQ's own first job would be at once.
  return { every: everyMs, startDate: Date.now() + everyMs };
}

function checkCron(id: string, cron: string): void {
  const fields = cron.trim().split(/\s+/);
  // BullMQ's parser fills in missing fields, even for the empty text: `* * * * *`.
  if (fields.length !== 5 && fields.length !== 6)
    throw new JobQueueError('unsupported-schedule', `${id}: cron has five fields, or six with seconds first`);
  try {
    defaultRepeatStrategy(Date.now(), { pattern: cron, tz: 'UTC' });
  } catch (cause) {
    throw new JobQueueError('unsupported-schedule', `${id}: ${(cause as Error).message}`, { cause });
  }
}
