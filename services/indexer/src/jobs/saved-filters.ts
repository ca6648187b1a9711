import { parseFilter, type Filter } from '@logloom/filter';
import type { JobQueue, JobRecords } from '@logloom/job-queue';
import { formatMicros } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';
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

/** A saved filter and what its last evaluation found. */
export interface SavedFilter extends NewSavedFilter {
  id: string;
  createdAt: string;
  lastRun?: SavedFilterRun;
}

export interface SavedFilterRun {
  at: string;
  /** The interval of event timestamps that was counted; `to` is not part of it. */
  from: string;
  to: string;
  count: number;
  /** Ids of the newest matches, at most 10. */
  hits: string[];
}

/** As it is kept. */
interface StoredFilter extends SavedFilter {
  /** Everything before this was evaluated. */
  evaluatedToMicros: number;
  /** The job of the last evaluation: should it run again, it has nothing to do. */
  lastJobId?: string;
}

export interface SavedFiltersDeps {
  queue: JobQueue;
  records: JobRecords;
  /** The machine's clock in ms. */
  now: () => number;
}

export interface EvaluateDeps {
  search: Pick<SearchStore, 'search'>;
  logger: Pick<Logger, 'warn'>;
}

const kind = 'saved-filter';
const maxHits = 10;
const maxNameLength = 200;
const shortestMs = 1000;
const longestMs = 31 * 86_400_000;
/** Evaluation stays so far behind the clock: what happened just now is still on its way to the search store. */
export const settleMs = 5000;

/** Saved filters: kept in the job records, evaluated by jobs of a schedule each. */
export class SavedFilters {
  readonly #deps: SavedFiltersDeps;

  constructor(deps: SavedFiltersDeps) {
    this.#deps = deps;
  }

  /** Throws ApiError `bad-parameter` or `bad-filter`. */
  async create(given: unknown): Promise<SavedFilter> {
    const { records, now } = this.#deps;
    const saved: StoredFilter = {
      id: randomUUID(),
      ...readSavedFilter(given),
      createdAt: formatMicros(now() * 1000),
      evaluatedToMicros: (now() - settleMs) * 1000,
    };
    await records.put(kind, saved.id, saved);
    await this.#schedule(saved);
    return shown(saved);
  }

  async list(): Promise<SavedFilter[]> {
    const all = await this.#deps.records.list(kind);
    return all
      .map(({ value }) => shown(value as StoredFilter))
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  async get(id: string): Promise<SavedFilter | undefined> {
    const found = (await this.#deps.records.get(kind, id)) as StoredFilter | undefined;
    return found === undefined ? undefined : shown(found);
  }

  /** False when there is none. */
  async delete(id: string): Promise<boolean> {
    await this.#deps.queue.unschedule(scheduleId(id));
    return this.#deps.records.delete(kind, id);
  }

  /** Sets all schedules again: a crash may have come between a filter and its schedule. */
  async scheduleAll(): Promise<void> {
    for (const saved of await this.list()) await this.#schedule(saved);
  }

  /** Counts what matches since the last evaluation. Warns, at least once, when the count reaches the threshold. */
  async evaluate(id: string, jobId: string, { search, logger }: EvaluateDeps): Promise<void> {
    const { queue, records, now } = this.#deps;
    const saved = (await records.get(kind, id)) as StoredFilter | undefined;
    if (saved === undefined) {
      await queue.unschedule(scheduleId(id));
      return;
    }
    if (saved.lastJobId === jobId) return;
    const fromMicros = saved.evaluatedToMicros;
    const toMicros = Math.max(fromMicros, (now() - settleMs) * 1000);
    const parsed = parsedFilter(saved.filter);
    const { total, events } = await search.search({
      filter: parsed,
      fromMicros,
      toMicros,
      limit: maxHits,
      order: 'desc',
    });
    const { name, threshold } = saved;
    if (threshold !== undefined && total.value >= threshold)
      logger.warn(
        { savedFilter: name, count: total.value, threshold },
        'a saved filter is over its threshold',
      );
    await records.replace(kind, id, {
      ...saved,
      evaluatedToMicros: toMicros,
      lastJobId: jobId,
      lastRun: {
        at: formatMicros(now() * 1000),
        from: formatMicros(fromMicros),
        to: formatMicros(toMicros),
        count: total.value,
        hits: events.map((event) => event.id),
      },
    } satisfies StoredFilter);
  }

  async #schedule({ id, everyMs }: SavedFilter): Promise<void> {
    await this.#deps.queue.schedule(scheduleId(id), { everyMs }, jobNames.savedFilter, { id });
  }
}

function scheduleId(id: string): string {
  return `${kind}:${id}`;
}

function shown({ evaluatedToMicros: _, lastJobId: __, ...saved }: StoredFilter): SavedFilter {
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
