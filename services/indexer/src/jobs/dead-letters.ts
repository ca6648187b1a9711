import { DuplicateWindow, type EventLog, type LogRecord } from '@logloom/event-log';
import type { GapReport } from '@logloom/runtime';
import type { Serde } from '@logloom/schema-registry';
import { redriveClaimCode, topics, type DeadLetter } from '@logloom/schemas';

export interface LogAccess {
  log: EventLog;
  serde: Serde;
  gaps?: GapReport;
}

/** A dead letter at its place. */
export interface PlacedDeadLetter {
  partition: number;
  offset: number;
  deadLetter: DeadLetter;
}

/** A dead letter may be as large as a request body. */
const maxRecords = 100;

/** The dead letters of a partition in offset order, [from, to), in batches; claims are among them. */
export async function* readDeadLetters(
  { log, serde, gaps }: LogAccess,
  partition: number,
  from: number,
  to: number,
): AsyncGenerator<PlacedDeadLetter[]> {
  for (let next = from; next < to;) {
    const records = await log.read(topics.deadLetter, partition, next, maxRecords, (gap) =>
      gaps?.('redrive', gap, 'these dead letters cannot be redriven'),
    );
    if (records.length === 0) return;
    next = records.at(-1)!.offset + 1;
    const wanted = records.filter(({ offset }) => offset < to);
    await serde.load(wanted.map(({ value }) => value));
    yield wanted.flatMap((record) => asDeadLetter(serde, record));
  }
}

/** A record that Logloom did not write is not a dead letter. */
function asDeadLetter(serde: Serde, { partition, offset, value }: LogRecord): PlacedDeadLetter[] {
  try {
    const decoded = serde.decode(value);
    return decoded.name === 'DeadLetter' ? [{ partition, offset, deadLetter: decoded.value }] : [];
  } catch {
    return [];
  }
}

/**
 * Which job has claimed which dead letters. Claims are in the partition of the dead letters that they name; of two claims on the same one,
 * the first in the log counts, so that concurrent jobs agree without communicating.
 */
export class DeadLetterClaims {
  readonly #owners = new Map<number, string>();

  /** Applies the record, if it is a claim; claims have to come in offset order. */
  take({ deadLetter }: PlacedDeadLetter): void {
    if (deadLetter.code !== redriveClaimCode) return;
    const jobId = deadLetter.source.topic;
    for (const offset of JSON.parse(deadLetter.payload.toString('utf8')) as number[])
      if (!this.#owners.has(offset)) this.#owners.set(offset, jobId);
  }

  owner(offset: number): string | undefined {
    return this.#owners.get(offset);
  }
}

/** Claims these dead letters for the job; returns the claim's offset in the partition. */
export async function claimDeadLetters(
  { log, serde }: LogAccess,
  jobId: string,
  partition: number,
  offsets: readonly number[],
): Promise<number> {
  const value = serde.encode('DeadLetter', {
    code: redriveClaimCode,
    message: `redriven by the job ${jobId}`,
    source: { kind: 'redrive', topic: jobId, partition, offset: offsets[0]!, index: 0 },
    receivedAt: Date.now(),
    payload: Buffer.from(JSON.stringify(offsets)),
    key: null,
    address: null,
  });
  const [offset] = await log.append(topics.deadLetter, [{ partition, key: jobId, value }]);
  return offset!;
}

/** Why a dead letter cannot be redriven. */
export type NoInput = 'claim' | 'duplicate' | 'not-input';

/**
 * Distinguishes input from the other records among the dead letters of a partition: claims, duplicates of the same input (its receiver was
 * interrupted, or its client repeated it), and records of the inner topics that the indexer could not store.
 */
export class DeadLetterSieve {
  readonly #seen = new DuplicateWindow();

  /** Undefined for input. The dead letters have to come in offset order, from the first that the log has. */
  sift({ offset, deadLetter }: PlacedDeadLetter): NoInput | undefined {
    if (deadLetter.code === redriveClaimCode) return 'claim';
    const { kind, topic } = deadLetter.source;
    if (kind === 'kafka' && topic !== topics.raw) return 'not-input';
    return this.#seen.admit(deadLetter.source, offset) ? undefined : 'duplicate';
  }
}
