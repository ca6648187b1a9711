import { VisibleDocument } from '@logloom/auth';
import type { FilterSubject } from '@logloom/filter';
import { memberOffsets, type Correlation } from '@logloom/schemas';
import type { CorrelationItem } from '../stream/correlations-stream.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import type { MemberReader } from './member-reader.ts';
import { lastMemberBefore } from './previous-revision.ts';

/** What documents are made from. */
export interface DocumentSources {
  /** All documents. */
  correlations: LiveStream;
  members: MemberReader;
}

/** The imposed filters that a document is looked at for; T stands for one of them. */
export interface ImposedFilters<T> {
  /** Whether members of the document can match any of them, by what the document tells. */
  maySee: (document: Correlation) => boolean;
  /** Puts those that the member matches into `matching`. */
  match: (member: FilterSubject, matching: T[]) => void;
}

/**
 * What each of these filters lets through of a document: the one that the API makes of the same members. A filter that lets nothing
 * through is absent, and so is one that lets nothing through which the revision before did not have: that there is another one is about
 * members of others, or about rules. Each member is read once for all filters. Rejects when the log or the archive cannot be read.
 */
export async function seeDocument<T>(
  { correlations, members }: DocumentSources,
  document: CorrelationItem,
  filters: ImposedFilters<T>,
): Promise<Map<T, Correlation>> {
  const whole = document.correlation;
  const known = await lastMemberBefore(correlations, document);
  if (known >= memberOffsets(whole).at(-1)!) return new Map();
  const views = new Map<T, VisibleDocument>();
  const matching: T[] = [];
  const visit = (member: FilterSubject): void => {
    filters.match(member, matching);
    for (const filter of matching) {
      let view = views.get(filter);
      if (view === undefined) views.set(filter, (view = new VisibleDocument(whole.correlationId)));
      view.add(member.event);
    }
    matching.length = 0;
  };
  const held = members.inMemory(whole);
  if (held !== undefined) held.forEach(visit);
  else if (filters.maySee(whole)) await members.read(whole, visit);
  const seen = new Map<T, Correlation>();
  for (const [filter, view] of views) {
    const visible = view.build(whole);
    if (visible.closeOffset > known) seen.set(filter, visible);
  }
  return seen;
}
