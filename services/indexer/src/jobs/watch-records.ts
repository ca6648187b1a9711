import type { JobRecords } from '@logloom/job-queue';
import type { Logger } from '@logloom/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { savedFilterKind } from './saved-filters.ts';

/** Says that the store has not been emptied since; its value is a StoreMark. */
const markKind = 'store';
const markId = 'mark';
const watchMs = 5000;

interface StoreMark {
  /** When the records that are there began, in ms since 1970. */
  since: number;
}

export interface WatchRecordsDeps {
  records: JobRecords;
  /** Where saved filters are kept a second time. */
  backup: JobRecords;
  logger: Pick<Logger, 'error'>;
  /** Called when the store turns out to be empty, and its records are back: jobs and schedules are gone. */
  onEmptied: (restored: number) => Promise<void>;
  /** The machine's clock in ms. */
  now: () => number;
  /** How often it looks; default 5 s. */
  everyMs?: number;
}

/**
 * Keeps a backup of the saved filters beside a store that may be emptied (Redis without persistence, FLUSHALL), and puts them back when
 * it was. What was saved in the last seconds before may be in neither.
 */
export async function watchRecords(deps: WatchRecordsDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await look(deps);
    } catch (error) {
      deps.logger.error({ err: error }, 'the saved filters could not be copied; trying again');
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
  const [held, copied] = [await records.list(savedFilterKind), await backup.list(savedFilterKind)];
  const wasKnown = (await backup.get(markKind, markId)) !== undefined;
  if (!isMarked && wasKnown) {
    const ids = new Set(held.map(({ id }) => id));
    const lost = copied.filter(({ id }) => !ids.has(id));
    await records.putAll(savedFilterKind, lost);
    logger.error(
      { restored: lost.length },
      'the job store was emptied: its saved filters and schedules are set again, jobs that were waiting are gone',
    );
    await onEmptied(lost.length);
    held.push(...lost);
  }
  if (!isMarked) await records.put(markKind, markId, { since: now() } satisfies StoreMark);
  await backup.putAll(savedFilterKind, held);
  const ids = new Set(held.map(({ id }) => id));
  for (const { id } of copied) if (!ids.has(id)) await backup.delete(savedFilterKind, id);
  if (!wasKnown) await backup.put(markKind, markId, { since: now() } satisfies StoreMark);
}
