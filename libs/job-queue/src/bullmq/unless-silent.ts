import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time is counted in turns of a timer, not by the clock: a process that was itself held up has not waited for an answer. */
const turnMs = 250;
/** A Redis that answers no PING for so many turns is frozen or out of reach: 3 s. */
const silentTurns = 12;

/**
 * Settles as the work does; once the signal has aborted, also resolves when Redis answers nothing any more. A frozen server keeps its
 * connections, so that nothing ends what waits for it; who has to end need not wait with it. The work goes on when Redis is back.
 */
export async function unlessSilent(work: Promise<void>, redis: Redis, signal: AbortSignal): Promise<void> {
  const settled = new AbortController();
  work.catch(() => {}).finally(() => settled.abort());
  const either = AbortSignal.any([signal, settled.signal]);
  if (!either.aborted)
    await new Promise((resolve) => either.addEventListener('abort', resolve, { once: true }));
  while (!settled.signal.aborted) {
    let isAnswered = false;
    const answered = (): void => void (isAnswered = true);
    redis.ping().then(answered, answered);
    for (let turn = 0; turn < silentTurns && !settled.signal.aborted; turn++)
      await sleep(turnMs, undefined, { signal: settled.signal }).catch(() => {});
    if (!settled.signal.aborted && !isAnswered) return;
  }
  await work;
}
