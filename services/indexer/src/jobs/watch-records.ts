import type { JobRecords } from '@logloom/job-queue';
import { settledBefore } from '@logloom/runtime';
import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { orderKind } from './job-names.ts';
import { savedFilterKind } from './saved-filters.ts';

/** A record that shows that the store has not been emptied; its value is a StoreMark. */
const markKind = 'store';
const markId = 'mark';
const watchMs = 5000;

interface StoreMark {
  /** When the present records began, in ms since 1970. */
  since: number;
}

interface JobRecord {
  id: string;
  value: unknown;
}

export interface WatchRecordsDeps {
  records: JobRecords;
  /** The backup of saved filters and started jobs. */
  backup: JobRecords;
  logger: Pick<Logger, 'error'>;
  /** Called when the store was emptied and its records were restored, with those of started jobs: jobs and schedules are gone. */
  onEmptied: (orders: readonly JobRecord[]) => Promise<void>;
  /** The machine's clock in ms. */
  nowMs: () => number;
  /** How often it checks, ms; default 5 s. */
  everyMs?: number;
}

/**
 * Keeps a backup of saved filters and started jobs beside a store that may be emptied (Redis without persistence, FLUSHALL), and restores
 * them when that happens. Changes of the last seconds before may be in neither.
 */
export async function watchRecords(deps: WatchRecordsDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await settledBefore(look(deps), signal);
    } catch (error) {
      deps.logger.error(
        { err: error },
        'the saved filters and started jobs could not be backed up; retrying',
      );
    }
    await sleep(deps.everyMs ?? watchMs, undefined, { signal }).catch(() => {});
  }
}

/** When the records began, in ms since 1970; undefined if the store is not watched. */
export async function recordsBegan(records: JobRecords): Promise<number | undefined> {
  return ((await records.get(markKind, markId)) as StoreMark | undefined)?.since;
}

async function look({ records, backup, logger, onEmptied, nowMs }: WatchRecordsDeps): Promise<void> {
  const isMarked = (await records.get(markKind, markId)) !== undefined;
  const wasKnown = (await backup.get(markKind, markId)) !== undefined;
  const isEmptied = !isMarked && wasKnown;
  const [filters, orders] = [
    await copyKind(records, backup, savedFilterKind, isEmptied),
    await copyKind(records, backup, orderKind, isEmptied),
  ];
  if (isEmptied) {
    logger.error(
      { restored: filters.length, ordered: orders.length },
      'the job store was emptied: its saved filters, schedules and jobs that clients had started are restored; other waiting jobs are gone',
    );
    await onEmptied(orders);
  }
  // Written last: a process that is killed before repeats all of it.
  if (!isMarked) await records.put(markKind, markId, { since: nowMs() } satisfies StoreMark);
  if (!wasKnown) await backup.put(markKind, markId, { since: nowMs() } satisfies StoreMark);
}

/** Updates the backup of one kind from the store. If the store was emptied, restores its missing records first, and returns them. */
async function copyKind(
  records: JobRecords,
  backup: JobRecords,
  kind: string,
  isEmptied: boolean,
): Promise<JobRecord[]> {
  const [held, copied] = [await records.list(kind), await backup.list(kind)];
  const ids = new Set(held.map(({ id }) => id));
  const lost = isEmptied ? copied.filter(({ id }) => !ids.has(id)) : [];
  await records.putAll(kind, lost);
  for (const { id } of lost) ids.add(id);
  await backup.putAll(kind, [...held, ...lost]);
  for (const { id } of copied) if (!ids.has(id)) await backup.delete(kind, id);
  return lost;
}
