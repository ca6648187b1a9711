import { formatMicros, type Correlation } from '@logloom/schemas';
import type {
  FoundEvent,
  GroupRequestsQuery,
  RequestFigures,
  RequestGroupsResult,
} from '@logloom/search-store';
import { nameOf } from './summary/summary-event.ts';

/** Figures of requests; durations are in milliseconds. */
export interface FiguresJson {
  requests: number;
  /** How many of them have errors. */
  errors: number;
  /** Requests a second. */
  rate: number;
  p50: number;
  p95: number;
  p99: number;
}

export interface RequestGroupJson extends FiguresJson {
  key: { shape: string } | { service: string };
  /** The latest of them. `name` is the first line of its first event. */
  latest: { id: string; correlationId: string; firstAt: string; services: string[]; name?: string };
}

export interface RequestsSummary {
  from: string;
  to: string;
  /** False where only the latest requests are counted, those from `from` on. */
  complete: boolean;
  all: FiguresJson;
  groups: RequestGroupJson[];
  /** How many groups are left out. */
  otherGroups: number;
  /** How many requests belong to no group. */
  without: number;
}

/** Groups beyond this many are not named: each name is a look-up. */
const maxNamed = 100;

interface Query extends Pick<GroupRequestsQuery, 'by' | 'fromMicros' | 'toMicros'> {
  /** What an end of the range is if neither the query nor a request gives one. */
  nowMicros: number;
}

/** The groups as the API returns them. An end of the range that the query leaves open is that of the requests. */
export async function requestsSummary(
  store: { event(id: string): Promise<FoundEvent | undefined> },
  { all, groups, ...result }: RequestGroupsResult<Correlation> & { complete: boolean },
  { by, nowMicros, ...range }: Query,
): Promise<RequestsSummary> {
  const { firstAt, lastAt, complete, otherGroups, without } = result;
  const toMicros = range.toMicros ?? (lastAt === undefined ? nowMicros : lastAt + 1);
  const earliest = complete ? (range.fromMicros ?? firstAt) : firstAt;
  const fromMicros = Math.min(earliest ?? toMicros, toMicros);
  const seconds = (toMicros - fromMicros) / 1e6;
  const figures = ({ requests, errors, p50Ms, p95Ms, p99Ms }: RequestFigures): FiguresJson => ({
    requests,
    errors,
    rate: seconds > 0 ? requests / seconds : 0,
    p50: p50Ms,
    p95: p95Ms,
    p99: p99Ms,
  });
  const names = await Promise.all(
    groups.slice(0, maxNamed).map(async ({ latest }) => {
      const first = await store.event(latest.id);
      return first && nameOf(first);
    }),
  );
  return {
    from: formatMicros(fromMicros),
    to: formatMicros(toMicros),
    complete,
    all: figures(all),
    groups: groups.map(({ key, latest, ...group }, i) => ({
      key: by === 'shape' ? { shape: key } : { service: key },
      ...figures(group),
      latest: {
        id: latest.id,
        correlationId: latest.correlationId,
        firstAt: formatMicros(latest.firstAt),
        services: latest.services,
        ...(names[i] === undefined ? {} : { name: names[i] }),
      },
    })),
    otherGroups,
    without,
  };
}
