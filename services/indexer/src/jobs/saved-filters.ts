import { parseFilter, type Filter } from '@logloom/filter';
import type { JobQueue, JobRecords } from '@logloom/job-queue';
import { formatMicros } from '@logloom/schemas';
import { SearchStoreError, type SearchPage, type SearchStore } from '@logloom/search-store';
import type { Logger } from '@logloom/telemetry';
import { randomUUID } from 'node:crypto';
import { ApiError } from '../errors.ts';
import { jobNames } from './job-names.ts';

/** What a person saves. */
export interface NewSavedFilter {
  name: string;
  /** Lucene syntax, as in a search. */
  filter: string;
  everyMs: number;
  /** A count from this on is worth a warning. */
  threshold?: number;
}

/** A saved filter and the result of its last evaluation. */
export interface SavedFilter extends NewSavedFilter {
  id: string;
  createdAt: string;
  lastRun?: SavedFilterRun;
}

export interface SavedFilterRun {
  at: string;
  /** The interval of event timestamps that was counted; `to` is not included. */
  from: string;
  to: string;
  count: number;
  /** Ids of the newest matches, at most 10. */
  hits: string[];
  /** The interval took too long to count even at its shortest, and was left out. */
  error?: 'timeout';
}

/** As it is kept. */
interface StoredFilter extends SavedFilter {
  /** Everything before this was evaluated. */
  evaluatedToMicros: number;
  /** Who saved it; absent where no token is required. */
  principal?: string;
  /** The time that one evaluation may cover, if a longer one took too long, ms. */
  windowMicros?: number;
  /** The job of the last evaluation: if it runs again, it has nothing to do. */
  lastJobId?: string;
}

export interface SavedFiltersDeps {
  queue: JobQueue;
  records: JobRecords;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

export interface EvaluateDeps {
  search: Pick<SearchStore, 'search'>;
  logger: Pick<Logger, 'warn'>;
}

/** The limits on saved filters: evaluations cost the indexer time whether anybody reads their results or not. */
export const savedFilterLimits = {
  perPrincipal: 100,
  inAll: 1_000,
  perPrincipalPerMinute: 300,
  inAllPerMinute: 600,
};
/** Clocks of several machines differ by less. */
const aheadMicros = 60_000_000;
const shortestWindowMicros = 1_000_000;
/** The kind of their records. */
export const savedFilterKind = 'saved-filter';
const kind = savedFilterKind;
const maxHits = 10;
const maxNameLength = 200;
const shortestMs = 1000;
const longestMs = 31 * 86_400_000;
/** How far evaluation stays behind the clock, ms: the newest events are still on their way to the search store. */
export const settleMs = 5000;

/** Saved filters: stored in the job records, each evaluated by the jobs of its own schedule. */
export class SavedFilters {
  readonly #deps: SavedFiltersDeps;

  constructor(deps: SavedFiltersDeps) {
    this.#deps = deps;
  }

  /** Throws ApiError `bad-parameter`, `bad-filter` or `too-many-saved-filters`. */
  async create(given: unknown, principal?: string): Promise<SavedFilter> {
    const { records, nowMs } = this.#deps;
    const saved: StoredFilter = {
      id: randomUUID(),
      ...(await this.#affordable(readSavedFilter(given), principal)),
      ...(principal === undefined ? {} : { principal }),
      createdAt: formatMicros(nowMs() * 1000),
      evaluatedToMicros: (nowMs() - settleMs) * 1000,
    };
    await records.put(kind, saved.id, saved);
    await this.#schedule(saved);
    return shown(saved);
  }

  async list(): Promise<SavedFilter[]> {
    const all = await this.#deps.records.list(kind);
    return all
      .map(({ value }) => shown(storedFilter(value)))
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  async get(id: string): Promise<SavedFilter | undefined> {
    const found = await this.#deps.records.get(kind, id);
    return found === undefined ? undefined : shown(storedFilter(found));
  }

  /** Returns false if there is none. */
  async delete(id: string): Promise<boolean> {
    await this.#deps.queue.unschedule(scheduleId(id));
    return this.#deps.records.delete(kind, id);
  }

  /** Sets all schedules again: a crash may have occurred between storing a filter and its schedule. */
  async scheduleAll(): Promise<void> {
    const all = await this.list();
    // If there are more than the present limit, each is evaluated less often, and none is lost.
    const stretch = Math.max(1, perMinute(all) / savedFilterLimits.inAllPerMinute);
    for (const saved of all)
      await this.#schedule({ ...saved, everyMs: Math.min(longestMs, Math.ceil(saved.everyMs * stretch)) });
  }

  async #affordable(wanted: NewSavedFilter, principal: string | undefined): Promise<NewSavedFilter> {
    const all = (await this.#deps.records.list(kind)).map(({ value }) => storedFilter(value));
    const own = all.filter((saved) => saved.principal === principal);
    const { perPrincipal, inAll, perPrincipalPerMinute, inAllPerMinute } = savedFilterLimits;
    const cost = perMinute([wanted]);
    const problem =
      own.length >= perPrincipal
        ? `a principal may save ${perPrincipal}`
        : all.length >= inAll
          ? `${inAll} are saved`
          : perMinute(own) + cost > perPrincipalPerMinute
            ? `the filters of a principal may be evaluated ${perPrincipalPerMinute} times a minute`
            : perMinute(all) + cost > inAllPerMinute
              ? `all may be evaluated ${inAllPerMinute} times a minute`
              : undefined;
    if (problem !== undefined)
      throw new ApiError('too-many-saved-filters', `${problem}; delete one, or use a larger everyMs`);
    return wanted;
  }

  /** Counts what matches since the last evaluation. Warns, at least once, when the count reaches the threshold. */
  async evaluate(id: string, jobId: string, { search, logger }: EvaluateDeps): Promise<void> {
    const { queue, records, nowMs } = this.#deps;
    const found = await records.get(kind, id);
    if (found === undefined) {
      await queue.unschedule(scheduleId(id));
      return;
    }
    const saved = storedFilter(found);
    if (saved.lastJobId === jobId) return;
    const settledMicros = (nowMs() - settleMs) * 1000;
    // A clock that was ahead had reached that time: nothing would be evaluated until it is reached again.
    const isAhead = saved.evaluatedToMicros > settledMicros + aheadMicros;
    const fromMicros = isAhead ? settledMicros - saved.everyMs * 1000 : saved.evaluatedToMicros;
    const { name, threshold, windowMicros = Infinity } = saved;
    const toMicros = Math.min(fromMicros + windowMicros, Math.max(fromMicros, settledMicros));
    const counted = await this.#count(saved, { fromMicros, toMicros }, search);
    if (counted === undefined && toMicros - fromMicros > shortestWindowMicros) {
      // Evaluates less at a time, from the same place.
      const half = Math.max(shortestWindowMicros, Math.ceil((toMicros - fromMicros) / 2));
      await records.replace(kind, id, { ...saved, windowMicros: half, lastJobId: jobId });
      return;
    }
    if (counted === undefined)
      logger.warn({ savedFilter: name, from: formatMicros(fromMicros) }, 'a saved filter takes too long');
    const { total, events } = counted ?? { total: { value: 0 }, events: [] };
    if (threshold !== undefined && total.value >= threshold)
      logger.warn(
        { savedFilter: name, count: total.value, threshold },
        'a saved filter is over its threshold',
      );
    await records.replace(kind, id, {
      ...saved,
      // It may cover more again if the evaluation was fast.
      ...(windowMicros === Infinity ? {} : { windowMicros: 2 * windowMicros }),
      evaluatedToMicros: toMicros,
      lastJobId: jobId,
      lastRun: {
        at: formatMicros(nowMs() * 1000),
        from: formatMicros(fromMicros),
        to: formatMicros(toMicros),
        count: total.value,
        hits: events.map((event) => event.id),
        ...(counted === undefined ? { error: 'timeout' as const } : {}),
      },
    } satisfies StoredFilter);
  }

  /** Undefined if it took too long. */
  async #count(
    { filter }: SavedFilter,
    range: { fromMicros: number; toMicros: number },
    search: EvaluateDeps['search'],
  ): Promise<Pick<SearchPage, 'total' | 'events'> | undefined> {
    const query = { filter: parsedFilter(filter), ...range, limit: maxHits, order: 'desc' } as const;
    try {
      return await search.search(query);
    } catch (error) {
      if (error instanceof SearchStoreError && error.code === 'timeout') return undefined;
      throw error;
    }
  }

  async #schedule({ id, everyMs }: SavedFilter): Promise<void> {
    await this.#deps.queue.schedule(scheduleId(id), { everyMs }, jobNames.savedFilter, { id });
  }
}

/** How many evaluations per minute these filters need. */
function perMinute(filters: readonly Pick<NewSavedFilter, 'everyMs'>[]): number {
  return filters.reduce((sum, { everyMs }) => sum + 60_000 / everyMs, 0);
}

function scheduleId(id: string): string {
  return `${kind}:${id}`;
}

/** A record of version 0.1 names its principal `holder`. */
function storedFilter(record: unknown): StoredFilter {
  const { holder, ...stored } = record as StoredFilter & { holder?: string };
  return holder === undefined ? stored : { ...stored, principal: holder };
}

function shown(stored: StoredFilter): SavedFilter {
  const { evaluatedToMicros: _, lastJobId: __, principal: ___, windowMicros: ____, ...saved } = stored;
  return saved;
}

function readSavedFilter(given: unknown): NewSavedFilter {
  const { name, filter, everyMs, threshold } = given as Record<string, unknown>;
  if (typeof name !== 'string' || name === '' || name.length > maxNameLength)
    throw bad('name', `name is a text of 1 to ${maxNameLength} characters`);
  if (typeof filter !== 'string') throw bad('filter', 'filter is a text in Lucene syntax');
  parsedFilter(filter);
  if (!isWhole(everyMs, shortestMs) || everyMs > longestMs)
    throw bad('everyMs', `everyMs is a whole number of milliseconds from ${shortestMs} to ${longestMs}`);
  if (threshold === undefined) return { name, filter, everyMs };
  if (!isWhole(threshold, 1)) throw bad('threshold', 'threshold is a whole number from 1');
  return { name, filter, everyMs, threshold };
}

function isWhole(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function parsedFilter(text: string): Filter {
  const result = parseFilter(text);
  if (result.ok) return result.filter;
  const { message, position } = result.error;
  throw new ApiError('bad-filter', message, { parameter: 'filter', position });
}

function bad(parameter: string, message: string): ApiError {
  return new ApiError('bad-parameter', message, { parameter });
}
