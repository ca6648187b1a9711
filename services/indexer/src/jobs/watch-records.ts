import type { JobRecords } from '@logloom/job-queue';
import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { orderKind } from './job-names.ts';
import { savedFilterKind } from './saved-filters.ts';
import { settledBefore } from './settled-before.ts';

/** Says that the store has not been emptied since; its value is a StoreMark. */
const markKind = 'store';
const markId = 'mark';
const watchMs = 5000;

interface StoreMark {
  /** When the records that are there began, in ms since 1970. */
  since: number;
}

interface JobRecord {
  id: string;
  value: unknown;
}

export interface WatchRecordsDeps {
  records: JobRecords;
  /** Where saved filters and ordered jobs are kept a second time. */
  backup: JobRecords;
  logger: Pick<Logger, 'error'>;
  /** Called when the store turns out to be empty, and its records are back, with those of ordered jobs: jobs and schedules are gone. */
  onEmptied: (orders: readonly JobRecord[]) => Promise<void>;
  /** The machine's clock in ms. */
  now: () => number;
  /** How often it looks; default 5 s. */
  everyMs?: number;
}

/**
 * Keeps a backup of the saved filters and of ordered jobs beside a store that may be emptied (Redis without persistence, FLUSHALL), and puts them back when
 * it was. What was saved in the last seconds before may be in neither.
 */
export async function watchRecords(deps: WatchRecordsDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await settledBefore(look(deps), signal);
    } catch (error) {
      deps.logger.error(
        { err: error },
        'the saved filters and ordered jobs could not be copied; trying again',
      );
    }
    await sleep(deps.everyMs ?? watchMs, undefined, { signal }).catch(() => {});
  }
}

/** When the records began, in ms since 1970; undefined where nobody watches the store. */
export async function recordsBegan(records: JobRecords): Promise<number | undefined> {
  return ((await records.get(markKind, markId)) as StoreMark | undefined)?.since;
}

async function look({ records, backup, logger, onEmptied, now }: WatchRecordsDeps): Promise<void> {
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
      'the job store was emptied: its saved filters and schedules are set again, and jobs that were ordered are added again; others that were waiting are gone',
    );
    await onEmptied(orders);
  }
  // Last: whoever is ended before does all of it again.
  if (!isMarked) await records.put(markKind, markId, { since: now() } satisfies StoreMark);
  if (!wasKnown) await backup.put(markKind, markId, { since: now() } satisfies StoreMark);
}

/** Makes the backup of one kind what the store holds; first, where that was emptied, puts back what it lacks, and returns that. */
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
