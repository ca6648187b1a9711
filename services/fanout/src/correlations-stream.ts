import { CorrelationSubject, type FilterSubject } from '@logloom/filter';
import type { Serde } from '@logloom/schema-registry';
import { correlationToJson, levels, topics, type Correlation, type Level } from '@logloom/schemas';
import { compileCorrelationFilter } from './correlation-filter.ts';
import { rememberFilters } from './filter-cache.ts';
import type { LiveItem, StreamKind } from './stream-kind.ts';

class CorrelationItem implements LiveItem {
  readonly correlation: Correlation;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly bytes: number;
  #json: string | undefined;

  constructor(correlation: Correlation, partition: number, offset: number, timestamp: number, bytes: number) {
    this.correlation = correlation;
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
    this.bytes = 4 * bytes + 400;
  }

  get level(): Level {
    return levels.findLast((level) => (this.correlation.levels[level] ?? 0) > 0) ?? 'info';
  }

  get urgent(): boolean {
    return this.correlation.severity !== null;
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

/** The stream of correlation documents. (closeOffset, closeSequence) only grows in a partition; what does not is a copy. */
export const correlationsStream: StreamKind = {
  name: 'correlations',
  letter: 'c',
  topic: topics.correlations,
  item: (decoded, partition, offset, timestamp, bytes) =>
    decoded.name === 'Correlation'
      ? new CorrelationItem(decoded.value, partition, offset, timestamp, bytes)
      : undefined,
  watermark: () => {
    let lastOffset = -1;
    let lastSequence = -1;
    return (item) => {
      const { closeOffset, closeSequence } = (item as CorrelationItem).correlation;
      if (closeOffset < lastOffset || (closeOffset === lastOffset && closeSequence <= lastSequence))
        return false;
      lastOffset = closeOffset;
      lastSequence = closeSequence;
      return true;
    };
  },
  compile: rememberFilters(compileCorrelationFilter),
};
