/** Counts and durations of requests, in milliseconds. */
export interface RequestFigures {
  requests: number;
  /** Requests with at least one error. */
  errors: number;
  /** The least duration that at least half, 95 % and 99 % of them do not exceed; 0 if there are none. */
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}

/** What the groups are made of. `place` is what the caller needs to find the request again. */
export interface GroupedRequest<Place> {
  /** The groups that it belongs to. */
  keys: readonly string[];
  firstAt: number;
  durationMs: number;
  hasErrors: boolean;
  place: Place;
}

export interface RequestGroup<Place> extends RequestFigures {
  key: string;
  latest: Place;
}

export interface RequestGroupsResult<Place> {
  /** Of all requests. */
  all: RequestFigures;
  /** The groups with the most requests, those first. */
  groups: RequestGroup<Place>[];
  /** How many groups are not among them. */
  otherGroups: number;
  /** How many requests belong to no group. */
  without: number;
  /** When the earliest and the latest of them began; absent if there are none. */
  firstAt?: number;
  lastAt?: number;
}

/** Groups requests, and computes exact percentiles: 8 bytes a request and group. */
export class RequestGroups<Place> {
  readonly #all = new Durations();
  readonly #groups = new Map<string, { durations: Durations; firstAt: number; latest: Place }>();
  #without = 0;
  #firstAt = Infinity;
  #lastAt = -Infinity;

  add({ keys, firstAt, durationMs, hasErrors, place }: GroupedRequest<Place>): void {
    if (firstAt < this.#firstAt) this.#firstAt = firstAt;
    if (firstAt > this.#lastAt) this.#lastAt = firstAt;
    this.#all.add(durationMs, hasErrors);
    if (keys.length === 0) this.#without++;
    for (const key of keys) {
      let group = this.#groups.get(key);
      if (group === undefined) {
        group = { durations: new Durations(), firstAt, latest: place };
        this.#groups.set(key, group);
      } else if (firstAt >= group.firstAt) {
        group.firstAt = firstAt;
        group.latest = place;
      }
      group.durations.add(durationMs, hasErrors);
    }
  }

  result(limit: number): RequestGroupsResult<Place> {
    const sorted = [...this.#groups].sort(
      ([a, { durations: x }], [b, { durations: y }]) => y.count - x.count || (a < b ? -1 : 1),
    );
    const isEmpty = this.#all.count === 0;
    return {
      all: this.#all.figures(),
      groups: sorted
        .slice(0, limit)
        .map(([key, { durations, latest }]) => ({ key, ...durations.figures(), latest })),
      otherGroups: Math.max(0, sorted.length - limit),
      without: this.#without,
      ...(isEmpty ? {} : { firstAt: this.#firstAt, lastAt: this.#lastAt }),
    };
  }
}

class Durations {
  #values = new Float64Array(4);
  #errors = 0;
  count = 0;

  add(ms: number, hasErrors: boolean): void {
    if (this.count === this.#values.length) {
      const grown = new Float64Array(2 * this.count);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.count++] = ms;
    if (hasErrors) this.#errors++;
  }

  figures(): RequestFigures {
    const sorted = this.#values.subarray(0, this.count).sort();
    const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((part) => percentile(sorted, part)) as [
      number,
      number,
      number,
    ];
    return { requests: this.count, errors: this.#errors, p50Ms, p95Ms, p99Ms };
  }
}

/** The nearest-rank percentile of ascending values; 0 of none. */
export function percentile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}
