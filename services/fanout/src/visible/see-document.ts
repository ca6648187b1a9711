import { VisibleDocument } from '@logloom/auth';
import type { FilterSubject } from '@logloom/filter';
import { memberOffsets, type Correlation } from '@logloom/schemas';
import type { CorrelationItem } from '../stream/correlations-stream.ts';
import type { LiveStream } from '../stream/live-stream.ts';
import type { MemberReader } from './member-reader.ts';
import { lastMemberBefore } from './previous-revision.ts';

/** The sources of documents. */
export interface DocumentSources {
  /** All documents. */
  correlations: LiveStream;
  members: MemberReader;
}

/** The imposed filters for which a document is evaluated; T identifies one of them. */
export interface ImposedFilters<T> {
  /** Whether members of the document can match any of them, judged by the document. */
  maySee: (document: Correlation) => boolean;
  /** Puts the filters that the member matches into `matching`. */
  match: (member: FilterSubject, matching: T[]) => void;
}

/**
 * The visible document for each of these filters, as the API makes it of the same members. A filter without visible members is absent, and
 * so is one without new visible members since the previous revision: such a revision is due to other principals' members, or to rules. Each
 * member is read once for all filters. Rejects when the log or the archive cannot be read.
 */
export async function seeDocument<T>(
  { correlations, members }: DocumentSources,
  document: CorrelationItem,
  filters: ImposedFilters<T>,
): Promise<Map<T, Correlation>> {
  const whole = document.correlation;
  // Its members are those of another document.
  if (whole.joinedInto !== null) return new Map();
  const known = await lastMemberBefore(correlations, document);
  if (known >= memberOffsets(whole).at(-1)!) return new Map();
  const views = new Map<T, VisibleDocument>();
  const matching: T[] = [];
  const visit = (member: FilterSubject, at?: number): void => {
    filters.match(member, matching);
    for (const filter of matching) {
      let view = views.get(filter);
      if (view === undefined) views.set(filter, (view = new VisibleDocument(whole.correlationId)));
      view.add(member.event, at);
    }
    matching.length = 0;
  };
  const held = members.inMemory(whole);
  if (held !== undefined) for (const { member, at } of held) visit(member, at);
  else if (filters.maySee(whole)) await members.read(whole, visit);
  const seen = new Map<T, Correlation>();
  for (const [filter, view] of views) {
    const visible = view.build(whole);
    if (visible.closeOffset > known) seen.set(filter, visible);
  }
  return seen;
}
