import { offsetBefore } from '@logloom/event-log';
import { formatMicros, redriveClaimCode, topics, type DeadLetter, type Source } from '@logloom/schemas';
import { readDeadLetters, type LogAccess, type PlacedDeadLetter } from '../jobs/dead-letters.ts';

/** A dead letter as operators see it: who sent what, and why it was refused. */
export interface DeadLetterJson {
  partition: number;
  offset: number;
  code: string;
  message: string;
  source: Source;
  receivedAt: string;
  key?: string;
  address?: string;
  /** The length of the payload in bytes, and its beginning as text. */
  bytes: number;
  payload: string;
}

const shownCharacters = 2_000;
/** How many dead letters of a partition a page examines. */
const lookedAt = 1_000;

/**
 * The newest dead letters, optionally of one `reason`, the newest first, at most `limit`. `next` is for the following page: per partition,
 * the offset below which it reads; absent when there are no more. A page may be short.
 */
export async function newestDeadLetters(
  access: LogAccess,
  {
    reason,
    limit,
    below,
  }: { reason: string | undefined; limit: number; below?: readonly number[] | undefined },
): Promise<{ deadLetters: DeadLetterJson[]; next?: number[] }> {
  const [starts, ends] = [
    await access.log.startOffsets(topics.deadLetter),
    await access.log.endOffsets(topics.deadLetter),
  ];
  const next = ends.map((end, partition) => Math.min(below?.[partition] ?? end, end));
  const found: PlacedDeadLetter[][] = [];
  for (const [partition, end] of next.entries()) {
    const before = offsetBefore(access.log, topics.deadLetter, partition, end, lookedAt);
    const from = Math.max(starts[partition]!, before);
    const deadLetters: PlacedDeadLetter[] = [];
    for await (const batch of readDeadLetters(access, partition, from, end))
      for (const each of batch) {
        const { code } = each.deadLetter;
        if (code === redriveClaimCode || (reason !== undefined && code !== reason)) continue;
        deadLetters.push(each);
        if (deadLetters.length > limit) deadLetters.shift();
      }
    found.push(deadLetters);
    // The next page continues below the examined offsets, or where a full page stopped.
    next[partition] = from;
  }
  const deadLetters: DeadLetterJson[] = [];
  while (deadLetters.length < limit) {
    const newest = found
      .filter((deadLetters) => deadLetters.length > 0)
      .reduce<PlacedDeadLetter[] | undefined>((a, b) => (a === undefined || later(b, a) ? b : a), undefined);
    if (newest === undefined) break;
    deadLetters.push(deadLetterJson(newest.pop()!));
  }
  for (const deadLetters of found) {
    const left = deadLetters.at(-1);
    if (left !== undefined) next[left.partition] = left.offset + 1;
  }
  // A partition with more matching dead letters than the page holds continues below the last one shown.
  for (const { partition, offset } of deadLetters)
    if (found[partition]!.length === 0 && deadLetters.length === limit)
      next[partition] = Math.min(offset, ends[partition]!);
  const isEnd = next.every((offset, partition) => offset <= starts[partition]!);
  return isEnd ? { deadLetters } : { deadLetters, next };
}

function later(a: readonly PlacedDeadLetter[], b: readonly PlacedDeadLetter[]): boolean {
  return a.at(-1)!.deadLetter.receivedAt > b.at(-1)!.deadLetter.receivedAt;
}

function deadLetterJson({ partition, offset, deadLetter }: PlacedDeadLetter): DeadLetterJson {
  const { code, message, source, receivedAt, payload, key, address }: DeadLetter = deadLetter;
  return {
    partition,
    offset,
    code,
    message,
    source,
    receivedAt: formatMicros(receivedAt * 1000),
    ...(key === null ? {} : { key }),
    ...(address === null ? {} : { address }),
    bytes: payload.length,
    payload: payload
      .toString('utf8', 0, 4 * shownCharacters)
      .slice(0, shownCharacters)
      .toWellFormed(),
  };
}
