import { offsetBefore } from '@logloom/event-log';
import { CorrelationSubject, type FilterSubject } from '@logloom/filter';
import type { Serde } from '@logloom/schema-registry';
import {
  correlationToJson,
  isCanaryDocument,
  isOfEpoch,
  levels,
  placeCorrelation,
  topics,
  type Correlation,
  type Level,
} from '@logloom/schemas';
import { liveError } from '../errors.ts';
import { compileCorrelationFilter } from './correlation-filter.ts';
import { rememberFilters } from './filter-cache.ts';
import type { DuplicateScan, LiveItem, ScanPlace, StreamKind } from './stream-kind.ts';

/** A correlation document in its place in logs.correlations. */
export class CorrelationItem implements LiveItem {
  readonly correlation: Correlation;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly bytes: number;
  #json: string | undefined;

  constructor(
    correlation: Correlation,
    partition: number,
    offset: number,
    timestampMs: number,
    bytes: number,
  ) {
    this.correlation = correlation;
    this.partition = partition;
    this.offset = offset;
    this.timestampMs = timestampMs;
    this.bytes = 4 * bytes + 400;
  }

  get level(): Level {
    return levels.findLast((level) => (this.correlation.levels[level] ?? 0) > 0) ?? 'info';
  }

  get urgent(): boolean {
    return this.correlation.severity !== null;
  }

  get isCanary(): boolean {
    return isCanaryDocument(this.correlation);
  }

  subject(): FilterSubject {
    return new CorrelationSubject(this.correlation);
  }

  json(): string {
    return (this.#json ??= JSON.stringify(correlationToJson(this.correlation)));
  }

  encode(serde: Serde): Buffer {
    return serde.encode('Correlation', this.correlation);
  }
}

/** A document whose members another one has is only sent where it takes back what was sent before. */
function isShown({ joinedInto, revision }: Correlation): boolean {
  return joinedInto === null || revision > 1;
}

/** How far back a scan looks for the position of the last document. */
const warmUpRecords = 4096;
const recordsPerRead = 512;

class CorrelationScan implements DuplicateScan {
  position: number;
  readonly #place: ScanPlace;
  #lastOffset = -1;
  #lastSequence = -1;

  static async open(place: ScanPlace, offset: number): Promise<CorrelationScan> {
    const from = offsetBefore(place.log, topics.correlations, place.partition, offset, warmUpRecords);
    const scan = new CorrelationScan(place, Math.max(0, from));
    await scan.duplicatesUpTo(offset);
    return scan;
  }

  constructor(place: ScanPlace, offset: number) {
    this.#place = place;
    this.position = offset;
  }

  admit(item: LiveItem): boolean {
    this.position = item.offset + 1;
    return this.#isNew((item as CorrelationItem).correlation);
  }

  async duplicatesUpTo(end: number): Promise<number[]> {
    const { log, serde, partition, slot } = this.#place;
    const start = (await log.startOffsets(topics.correlations))[partition]!;
    this.position = Math.min(end, Math.max(start, this.position));
    const epoch = await log.epochOf(topics.events);
    const duplicates: number[] = [];
    while (this.position < end) {
      const count = Math.min(recordsPerRead, end - this.position);
      const read = await log.read(topics.correlations, partition, this.position, count);
      await slot();
      await serde.load(read.map(({ value }) => value));
      const records = read.filter(({ offset }) => offset < end);
      for (const record of records) {
        const { offset, value } = record;
        if (!isOfEpoch(record, epoch)) continue;
        const document = decodeDocument(serde, value);
        if (document !== undefined && !this.#isNew(document)) duplicates.push(offset);
      }
      this.position = records.length < read.length || records.length === 0 ? end : records.at(-1)!.offset + 1;
    }
    return duplicates;
  }

  #isNew({ closeOffset, closeSequence }: Correlation): boolean {
    if (closeOffset < this.#lastOffset) return false;
    if (closeOffset === this.#lastOffset && closeSequence <= this.#lastSequence) return false;
    this.#lastOffset = closeOffset;
    this.#lastSequence = closeSequence;
    return true;
  }
}

/** Undefined for other records; the stream reports those that cannot be decoded. */
function decodeDocument(serde: Serde, value: Buffer): Correlation | undefined {
  try {
    const decoded = serde.decode(value);
    return decoded.name === 'Correlation' ? decoded.value : undefined;
  } catch {
    return undefined;
  }
}

const compile = rememberFilters((text, limits) => compileCorrelationFilter(text, limits));

/**
 * The stream of all correlation documents; under an imposed filter there is VisibleStream instead. (closeOffset, closeSequence) only grows
 * in a partition; a document that does not advance it is a duplicate.
 */
export const correlationsStream: StreamKind = {
  name: 'correlations',
  letter: 'c',
  topic: topics.correlations,
  item: (decoded, epoch, partition, offset, timestampMs, bytes) =>
    decoded.name === 'Correlation' && isShown(decoded.value)
      ? new CorrelationItem(placeCorrelation(decoded.value, epoch), partition, offset, timestampMs, bytes)
      : undefined,
  scan: (place, offset) => CorrelationScan.open(place, offset),
  compile: (text, limits, imposed) => {
    if (imposed === undefined) return compile(text, limits);
    const message = 'a principal with an imposed filter may not get all documents';
    return { ok: false, error: liveError('forbidden', { message }) };
  },
};
