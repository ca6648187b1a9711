import { checkComplexity, intersect, parseFilter, type Filter, type FilterLimits } from '@logloom/filter';
import { parseMicros, unitMs } from '@logloom/schemas';
import type { TimeRange } from '@logloom/search-store';
import { ApiError } from '../errors.ts';

const maxLimit = 1000;

/** Reads the parameters of one request. Every method throws ApiError naming the parameter; an empty value counts as absent. */
export class QueryParameters {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #nowMs: number;
  readonly #imposed: Filter | undefined;
  readonly #limits: FilterLimits | undefined;

  /** `imposed` is what the caller may see at most; `limits` are those on `q`. */
  constructor(query: unknown, nowMs: number, imposed?: Filter, limits?: FilterLimits) {
    this.#values = query as Record<string, unknown>;
    this.#nowMs = nowMs;
    this.#imposed = imposed;
    this.#limits = limits;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw bad(name, `${name} may appear only once`);
    return value;
  }

  /** `q` over events, as far as the caller may see them; absent, it matches everything. */
  filter(): Filter {
    const filter = this.documentFilter();
    return this.#imposed === undefined ? filter : intersect(filter, this.#imposed);
  }

  /** `q` over documents, to which a filter that is imposed on events does not apply. */
  documentFilter(): Filter {
    const result = parseFilter(this.text('q') ?? '');
    if (!result.ok) {
      const { message, position } = result.error;
      throw new ApiError('bad-filter', message, { parameter: 'q', position });
    }
    const excess = this.#limits && checkComplexity(result.filter, this.#limits);
    if (excess !== undefined) throw new ApiError(excess.code, excess.message, { parameter: 'q' });
    return result.filter;
  }

  /** `from` and `to`: RFC 3339, epoch milliseconds, or relative to now (`now`, `now-15m`; s, m, h, d). */
  range(): TimeRange {
    const fromMicros = this.#micros('from');
    const toMicros = this.#micros('to');
    if (fromMicros !== undefined && toMicros !== undefined && fromMicros > toMicros)
      throw bad('from', 'from is after to');
    return { fromMicros, toMicros };
  }

  limit(fallback = 50, most = maxLimit): number {
    const text = this.text('limit') ?? String(fallback);
    const limit = Number(text);
    if (!/^\d+$/.test(text) || limit > most)
      throw bad('limit', `limit is a whole number from 0, which only counts, to ${most}`);
    return limit;
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.text(name) ?? fallback;
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw bad(name, `${name} is one of: ${choices.join(', ')}`);
    return choice;
  }

  /** Values separated by commas, at most `most`, each once; default none. */
  list(name: string, most: number): string[] {
    const values = [...new Set((this.text(name) ?? '').split(',').map((value) => value.trim()))];
    const given = values.filter((value) => value !== '');
    if (given.length > most) throw bad(name, `${name} has at most ${most} values, separated by commas`);
    return given;
  }

  /** Some of the choices, separated by commas; undefined if the parameter is absent. */
  someOf<const Choice extends string>(name: string, choices: readonly Choice[]): Choice[] | undefined {
    if (this.text(name) === undefined) return undefined;
    const given = this.list(name, choices.length);
    const chosen = choices.filter((choice) => given.includes(choice));
    if (chosen.length === 0 || chosen.length < given.length)
      throw bad(name, `${name} is one or more of: ${choices.join(', ')}`);
    return chosen;
  }

  /** `true` or `false`; default false. */
  flag(name: string): boolean {
    return this.oneOf(name, ['true', 'false'], 'false') === 'true';
  }

  /** A duration in milliseconds: `5000`, `500ms`, `30s`, `5m`, `1h`, `1d`. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [, amount, unit = 'ms'] = /^(\d{1,15})(ms|s|m|h|d)?$/.exec(text) ?? [];
    const duration = Number(amount) * unitMs[unit]!;
    if (amount === undefined || duration < 1 || !Number.isSafeInteger(duration * 1000))
      throw bad(name, `${name} is a number of milliseconds, or one with a unit such as 30s, 5m, 1h, 1d`);
    return duration;
  }

  #micros(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const micros = this.#parseTime(text);
    if (!Number.isSafeInteger(micros))
      throw bad(
        name,
        `${name} is a time in RFC 3339, in milliseconds since 1970, or relative such as now-15m`,
      );
    return micros;
  }

  #parseTime(text: string): number {
    if (/^-?\d{1,15}$/.test(text)) return Number(text) * 1000;
    const relative = /^now(?:([+-])(\d{1,9})([smhd]))?$/.exec(text);
    if (relative === null) return parseMicros(text);
    const [, sign, amount = '0', unit = 's'] = relative;
    return (this.#nowMs + (sign === '-' ? -1 : 1) * Number(amount) * unitMs[unit]!) * 1000;
  }
}

function bad(parameter: string, message: string): ApiError {
  return new ApiError('bad-parameter', message, { parameter });
}
