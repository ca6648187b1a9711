import { higherSeverity, type Severity } from '@logloom/rules';
import {
  correlationDefaults,
  correlationToJson,
  epochOfId,
  memberDeltas,
  memberOffsets,
  type Correlation,
  type CorrelationJson,
} from '@logloom/schemas';

/**
 * Documents of one id with more than this between them are different requests: ids such as those of sessions and counters come again. In
 * microseconds, of the events' own time.
 */
const silenceMicros = 3_600_000_000;

/** A document of a request that had to be written in parts: it was longer than the windows, too large, or an event came too late. */
export type RequestPart = Pick<
  CorrelationJson,
  'id' | 'revision' | 'firstAt' | 'lastAt' | 'durationMs' | 'eventCount' | 'errorCount' | 'services'
> & {
  /** From 1 on, in the order in which the log has them. */
  part: number;
  /** The id of the part before. */
  previous?: string;
};

/** The documents of the same request as this one, in the order of the log, among all documents with its correlation id. */
export function partsOf(document: Correlation, candidates: readonly Correlation[]): Correlation[] {
  const { partition, correlationId } = document;
  const epoch = epochOfId(document.id);
  const others = candidates.filter(
    (each) =>
      each.id !== document.id &&
      each.correlationId === correlationId &&
      each.partition === partition &&
      epochOfId(each.id) === epoch,
  );
  const byTime = [document, ...others].sort((a, b) => a.firstAt - b.firstAt || a.firstOffset - b.firstOffset);
  let group: Correlation[] = [];
  let end = -Infinity;
  for (const each of byTime) {
    if (each.firstAt - end > silenceMicros) {
      if (group.includes(document)) break;
      group = [];
    }
    group.push(each);
    end = Math.max(end, each.lastAt);
  }
  return group.sort((a, b) => a.firstOffset - b.firstOffset);
}

/** The request as one document, with the id of the part that was asked for, or of the first. */
export function wholeOf(parts: readonly Correlation[], asked = ''): Correlation {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (parts.length === 1) return first;
  const offsets = parts.flatMap(memberOffsets).sort((a, b) => a - b);
  const all = parts.map((part) => ({ ...correlationDefaults, ...part }));
  return {
    ...last,
    id: (parts.find(({ id }) => id === asked) ?? first).id,
    // It grows with each part's.
    revision: parts.reduce((sum, { revision }) => sum + revision, 0),
    firstAt: least(parts.map(({ firstAt }) => firstAt)),
    lastAt: -least(parts.map(({ lastAt }) => -lastAt)),
    services: distinct(parts.flatMap(({ services }) => services)),
    levels: sums(parts.map(({ levels }) => levels)),
    rules: distinct(all.flatMap(({ rules }) => rules)),
    severity: all.reduce<Severity | null>(
      (highest, { severity }) => higherSeverity(highest, severity as Severity | null),
      null,
    ),
    labels: Object.assign({}, ...all.map(({ labels }) => labels)) as Record<string, string>,
    ids: distinct(all.flatMap(({ ids }) => ids)),
    shape: first.shape,
    firstOffset: first.firstOffset,
    memberDeltas: memberDeltas(offsets),
    forwarded: all.flatMap(({ forwarded }) => forwarded).sort((a, b) => a.at - b.at),
    joinLimited: all.some(({ joinLimited }) => joinLimited),
  };
}

export function describeParts(parts: readonly Correlation[]): RequestPart[] {
  return parts.map((document, i) => {
    const { id, revision, firstAt, lastAt, durationMs, eventCount, errorCount, services } =
      correlationToJson(document);
    return {
      part: i + 1,
      ...(i === 0 ? {} : { previous: parts[i - 1]!.id }),
      id,
      revision,
      firstAt,
      lastAt,
      durationMs,
      eventCount,
      errorCount,
      services,
    };
  });
}

function sums(counts: readonly Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const each of counts)
    for (const [key, count] of Object.entries(each)) total[key] = (total[key] ?? 0) + count;
  return total;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b));
}
