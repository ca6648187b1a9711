import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { storageTrouble } from '@logloom/sqlite';
import type { Trouble } from '../event-log.ts';
import { BatchJoiner, type JoinTarget } from './batch-joiner.ts';

/** How often (ms) the topics are looked through. */
const passMs = 30_000;
/** Records younger than this (ms) are left as they were appended: viewers and consumers read them in small pieces. */
const settledMs = 60_000;
/** The process counts as busy while it uses more than this share of the machine's cores. */
const busyShare = 0.5;
const lookMs = 1000;
/** How long (ms) the work waits for the process to be less busy. */
const mostWaitMs = 5 * 60_000;

export interface MaintainDeps {
  topics: () => JoinTarget[];
  onTrouble: (trouble: Trouble) => void;
}

/** Joins the old rows of all topics, again and again until the signal aborts, while the process has little else to do. */
export async function maintainTopics(deps: MaintainDeps, signal: AbortSignal): Promise<void> {
  const joiner = new BatchJoiner();
  while (!signal.aborted) {
    await sleep(passMs, undefined, { signal, ref: false }).catch(() => {});
    await untilQuiet(signal);
    for (const topic of deps.topics()) {
      if (signal.aborted) return;
      try {
        await joiner.join(topic, { appendedBefore: Date.now() - settledMs }, signal);
      } catch (error) {
        // A full disk is reported by those who have to write to it, and an abort is none.
        if (storageTrouble(error) === undefined && !signal.aborted)
          deps.onTrouble({
            message: `old batches of ${topic.path} are not joined now; retrying`,
            error: error as Error,
          });
      }
    }
  }
}

async function untilQuiet(signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < mostWaitMs && !signal.aborted; waitedMs += lookMs) {
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await sleep(lookMs, undefined, { signal, ref: false }).catch(() => {});
    const { user, system } = process.cpuUsage(before);
    const cores = (user + system) / 1000 / (performance.now() - startedAt);
    if (cores < busyShare * availableParallelism()) return;
  }
}
