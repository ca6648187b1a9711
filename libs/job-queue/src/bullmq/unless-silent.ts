import type { RedisClient } from '../redis/redis-client.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time is counted in turns of a timer, not by the clock: while this process is held up, it does not wait for an answer. */
const turnMs = 250;
/** A Redis that answers no PING for this many turns is frozen or unreachable: 3 s. */
const silentTurns = 12;

/**
 * Settles as the work does; once the signal has aborted, also resolves if Redis stops answering. A frozen server keeps its connections, so
 * pending calls never end; a process that has to stop must not wait for them. The work continues when Redis is back.
 */
export async function unlessSilent(
  work: Promise<void>,
  redis: RedisClient,
  signal: AbortSignal,
): Promise<void> {
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
