import type { EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { topics, type CorrelationOptions, type Rules } from '@logloom/schemas';
import type { CorrelateOptions } from '../correlate.ts';
import { CorrelatorError } from '../errors.ts';
import { isDeepStrictEqual } from 'node:util';
import { tryDecode } from '../try-decode.ts';

/**
 * The newest version of the algorithm that this release knows. A release whose sessions close differently on the same records raises it and
 * keeps the old behavior for older versions, so that it takes effect at a record of options and not before.
 */
export const algorithm = 2;

/** The first version that joins requests by Link records, and knows backfills. */
const joiningAlgorithm = 2;

const recordsPerRead = 1000;

/** The options as a record stores them. */
export function toRecord(options: CorrelateOptions): CorrelationOptions {
  const { idleMs, maxMs, graceMs, maxEvents, maxSessions, memoryBytes, backfill = null } = options;
  return {
    algorithm: options.joins === true ? joiningAlgorithm : 1,
    idleMs,
    maxMs,
    graceMs,
    maxEvents,
    maxGroups: maxSessions,
    memoryBytes,
    backfill,
  };
}

/** The options that a record puts into force; undefined if it has none, as in older releases. Throws CorrelatorError `newer-algorithm`. */
export function optionsOfRecord(
  { options }: Pick<Rules, 'options'>,
  at: { partition: number; offset: number },
): CorrelateOptions | undefined {
  if (options === null) return undefined;
  if (options.algorithm > algorithm)
    throw new CorrelatorError(
      'newer-algorithm',
      `the record at ${topics.events}/${at.partition} offset ${at.offset} needs version ${options.algorithm} of the ` +
        `correlation algorithm; this release knows versions up to ${algorithm}`,
    );
  const { idleMs, maxMs, graceMs, maxEvents, maxGroups: maxSessions, memoryBytes, backfill } = options;
  const joins = options.algorithm >= joiningAlgorithm ? { joins: true } : {};
  const common = { idleMs, maxMs, graceMs, maxEvents, maxSessions, memoryBytes, ...joins };
  // A plain object: a decoded one has another prototype, and would never be the same as the wanted one.
  return backfill === null ? common : { ...common, backfill: { ...backfill } };
}

/** Whether both make the same documents. */
export function sameOptions(a: CorrelateOptions, b: CorrelateOptions): boolean {
  return isDeepStrictEqual(toRecord(a), toRecord(b));
}

/**
 * The options of the first record in [from, to) that has some, or undefined. They also apply to earlier records: a log of an older release,
 * or one with events from before the first correlator, has no others.
 */
export async function firstOptions(
  log: EventLog,
  serde: Serde,
  partition: number,
  from: number,
  to: number,
): Promise<CorrelateOptions | undefined> {
  for (let next = from; next < to;) {
    const records = await log.read(topics.events, partition, next, recordsPerRead);
    if (records.length === 0) return undefined;
    await serde.load(records.map((record) => record.value));
    for (const record of records) {
      if (serde.nameOf(record.value) !== 'Rules') continue;
      const decoded = tryDecode(serde, record.value);
      if (decoded?.name !== 'Rules') continue;
      const options = optionsOfRecord(decoded.value, record);
      if (options !== undefined) return options;
    }
    next = records.at(-1)!.offset + 1;
  }
  return undefined;
}
