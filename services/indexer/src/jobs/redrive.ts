import { EventLogError, type NewRecord } from '@logloom/event-log';
import { UnrecoverableJobError } from '@logloom/job-queue';
import {
  redriveClaimCode,
  redriveHeaders,
  redrivenFrom,
  topics,
  type DeadLetter,
  type Sender,
} from '@logloom/schemas';
import {
  claimDeadLetters,
  DeadLetterClaims,
  DeadLetterSieve,
  readDeadLetters,
  type LogAccess,
  type PlacedDeadLetter,
} from './dead-letters.ts';

/** Selects dead letters; without any criterion, all that were not redriven yet. */
export interface RedriveCriteria {
  code?: string | undefined;
  /** Part of the reason in words, in any case. */
  text?: string | undefined;
  /** When it was refused, in microseconds; `fromMicros` belongs to the range, `toMicros` does not. */
  fromMicros?: number | undefined;
  toMicros?: number | undefined;
  /** Also dead letters that an earlier job has taken: those that were accepted then become duplicates. */
  again: boolean;
}

/** A redrive in the queue. It is bounded by the topics' ends at the time of the request, so that it does not include its own results. */
export interface RedriveJob extends RedriveCriteria {
  letterEnds: number[];
  rawEnds: number[];
}

/** The result of a redrive, or of a dry run. */
export interface RedriveResult {
  redriven: number;
  /** The same by code. */
  codes: Record<string, number>;
  /** Matching dead letters that an earlier job has taken. */
  alreadyRedriven: number;
  /** How many of `redriven` the log can never accept. */
  tooLarge: number;
}

const maxAppendBytes = 8 * 2 ** 20;
const rawReadRecords = 1000;

/** The job for these criteria, as of now. */
export async function planRedrive({ log }: LogAccess, criteria: RedriveCriteria): Promise<RedriveJob> {
  const [letterEnds, rawEnds] = [await log.endOffsets(topics.deadLetter), await log.endOffsets(topics.raw)];
  return { ...criteria, letterEnds, rawEnds };
}

/** What runRedrive() would do; writes nothing. */
export async function countRedrive(access: LogAccess, criteria: RedriveCriteria): Promise<RedriveResult> {
  const result = emptyResult();
  const ends = await access.log.endOffsets(topics.deadLetter);
  const scan = await DeadLetterScan.open(access, criteria, ends);
  for (const [partition, end] of ends.entries()) {
    const claims = await scan.claims(partition, end);
    for await (const batch of scan.matching(partition, end)) {
      const wanted = batch.filter(({ offset }) => criteria.again || claims.owner(offset) === undefined);
      result.alreadyRedriven += batch.length - wanted.length;
      for (const { deadLetter } of wanted) countOne(result, deadLetter.code);
    }
  }
  return result;
}

/**
 * Puts dead letters into logs.raw again, each once, however often the job is interrupted and repeated: a dead letter is first claimed in
 * its own partition, then put; logs.raw shows which ones this job has put already. Throws UnrecoverableJobError if logs.raw was trimmed too
 * far to show that.
 */
export async function runRedrive(
  access: LogAccess,
  jobId: string,
  job: RedriveJob,
  signal: AbortSignal,
  onProgress: (share: number) => Promise<void>,
): Promise<RedriveResult> {
  const result = emptyResult();
  const putUpTo = await lastPut(access, jobId, job);
  const scan = await DeadLetterScan.open(access, job, job.letterEnds);
  for (const [partition, end] of job.letterEnds.entries()) {
    let claimsEnd = (await access.log.endOffsets(topics.deadLetter))[partition]!;
    const claims = await scan.claims(partition, claimsEnd);
    for await (const batch of scan.matching(partition, end)) {
      signal.throwIfAborted();
      const unclaimed = batch.map(({ offset }) => offset).filter((o) => claims.owner(o) === undefined);
      if (unclaimed.length > 0) {
        const claim = await claimDeadLetters(access, jobId, partition, unclaimed);
        // Another job's claim may have come in between: it then counts.
        for await (const deadLetters of readDeadLetters(access, partition, claimsEnd, claim + 1))
          for (const deadLetter of deadLetters) claims.take(deadLetter);
        claimsEnd = claim + 1;
      }
      const own = batch.filter(({ offset }) => job.again || claims.owner(offset) === jobId);
      result.alreadyRedriven += batch.length - own.length;
      await put(access, jobId, own, putUpTo[partition]!, result);
      const read = batch.at(-1)?.offset ?? 0;
      await onProgress(Math.min(1, (partition + read / Math.max(1, end)) / job.letterEnds.length));
    }
  }
  return result;
}

/** Reads the dead letters that meet the criteria. */
class DeadLetterScan {
  readonly #access: LogAccess;
  readonly #criteria: RedriveCriteria;
  readonly #starts: readonly number[];
  /** Dead letters that were refused again after a redrive: the newer dead letter replaces them. */
  readonly #superseded: ReadonlySet<string>;

  /** `ends`: per partition, the end of the examined dead letters. */
  static async open(
    access: LogAccess,
    criteria: RedriveCriteria,
    ends: readonly number[],
  ): Promise<DeadLetterScan> {
    const starts = await access.log.startOffsets(topics.deadLetter);
    const superseded = new Set<string>();
    // Only then can a dead letter and its replacement both match.
    if (criteria.again) {
      for (const [partition, end] of ends.entries())
        for await (const deadLetters of readDeadLetters(access, partition, starts[partition]!, end))
          for (const { deadLetter } of deadLetters)
            if (deadLetter.source.kind === 'redrive' && deadLetter.code !== redriveClaimCode)
              superseded.add(`${deadLetter.source.partition}/${deadLetter.source.offset}`);
    }
    return new DeadLetterScan(access, criteria, starts, superseded);
  }

  constructor(
    access: LogAccess,
    criteria: RedriveCriteria,
    starts: readonly number[],
    superseded: ReadonlySet<string>,
  ) {
    this.#access = access;
    this.#criteria = criteria;
    this.#starts = starts;
    this.#superseded = superseded;
  }

  async claims(partition: number, end: number): Promise<DeadLetterClaims> {
    const claims = new DeadLetterClaims();
    for await (const deadLetters of readDeadLetters(this.#access, partition, this.#starts[partition]!, end))
      for (const deadLetter of deadLetters) claims.take(deadLetter);
    return claims;
  }

  async *matching(partition: number, end: number): AsyncGenerator<PlacedDeadLetter[]> {
    const sieve = new DeadLetterSieve();
    for await (const deadLetters of readDeadLetters(this.#access, partition, this.#starts[partition]!, end))
      yield deadLetters.filter(
        (deadLetter) => sieve.sift(deadLetter) === undefined && this.#matches(deadLetter),
      );
  }

  #matches({ partition, offset, deadLetter }: PlacedDeadLetter): boolean {
    const { code, text, fromMicros = -Infinity, toMicros = Infinity } = this.#criteria;
    const refusedAt = deadLetter.receivedAt * 1000;
    return (
      (code === undefined || deadLetter.code === code) &&
      (text === undefined || deadLetter.message.toLowerCase().includes(text.toLowerCase())) &&
      refusedAt >= fromMicros &&
      refusedAt < toMicros &&
      !this.#superseded.has(`${partition}/${offset}`)
    );
  }
}

/**
 * Puts the dead letters after `after` and counts all. All dead letters of a partition go to one partition of logs.raw, so that they stay in
 * order.
 */
async function put(
  { log }: LogAccess,
  jobId: string,
  deadLetters: readonly PlacedDeadLetter[],
  after: number,
  result: RedriveResult,
): Promise<void> {
  const rawPartitions = await log.partitionCount(topics.raw);
  let records: NewRecord[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    result.tooLarge += await append(log, records);
    records = [];
    bytes = 0;
  };
  for (const { partition, offset, deadLetter } of deadLetters) {
    countOne(result, deadLetter.code);
    if (offset <= after) continue;
    if (bytes + deadLetter.payload.length > maxAppendBytes) await flush();
    bytes += deadLetter.payload.length;
    records.push({
      partition: partition % rawPartitions,
      key: null,
      value: deadLetter.payload,
      headers: redriveHeaders({ jobId, partition, offset }, deadLetter.receivedAt, senderOf(deadLetter)),
    });
  }
  await flush();
}

/**
 * The sender of a dead letter. Earlier releases did not record senders: if a key was not allowed to send such a dead letter, its key counts
 * as unknown, so that it cannot bypass the rule.
 */
function senderOf({ key, address, code }: DeadLetter): Sender {
  const known = key ?? (code === 'service-not-allowed' ? '' : undefined);
  return { key: known, address: address ?? undefined };
}

/** Returns how many the log can never accept. */
async function append(log: LogAccess['log'], records: readonly NewRecord[]): Promise<number> {
  if (records.length === 0) return 0;
  try {
    await log.append(topics.raw, records);
    return 0;
  } catch (error) {
    if (!(error instanceof EventLogError && error.code === 'record-too-large')) throw error;
    if (records.length === 1) return 1;
    let refused = 0;
    for (const record of records) refused += await append(log, [record]);
    return refused;
  }
}

/** Per partition of logs.dead-letter, the last offset that this job has put into logs.raw in an earlier run; -1 for none. */
async function lastPut(
  { log }: LogAccess,
  jobId: string,
  { letterEnds, rawEnds }: RedriveJob,
): Promise<number[]> {
  const last = letterEnds.map(() => -1);
  const [starts, ends] = [await log.startOffsets(topics.raw), await log.endOffsets(topics.raw)];
  for (const [partition, from] of rawEnds.entries()) {
    if (starts[partition]! > from) {
      throw new UnrecoverableJobError(
        'logs.raw no longer shows what this redrive has put there; check what is missing and start another',
      );
    }
    for (let next = from; next < ends[partition]!;) {
      const records = await log.read(topics.raw, partition, next, rawReadRecords);
      if (records.length === 0) break;
      for (const { headers } of records) {
        const place = redrivenFrom(headers);
        if (place?.jobId === jobId) last[place.partition] = Math.max(last[place.partition]!, place.offset);
      }
      next = records.at(-1)!.offset + 1;
    }
  }
  return last;
}

function emptyResult(): RedriveResult {
  return { redriven: 0, codes: {}, alreadyRedriven: 0, tooLarge: 0 };
}

function countOne(result: RedriveResult, code: string): void {
  result.redriven++;
  // A code can be any text, even `constructor`.
  result.codes[code] = (Object.hasOwn(result.codes, code) ? result.codes[code]! : 0) + 1;
}
