import { CodedError } from '@logloom/errors';
import { parseFilter, type Filter } from '@logloom/filter';
import { durationMs } from '@logloom/schemas';
import { rulesErrors } from '../errors.ts';
import type { RulesErrorCode } from '../rule-problem.ts';
import type { Condition, Measure, Operator, Term } from './condition.ts';

/** More values than this are not told apart, and not needed to decide. */
export const maxDistinct = 10_000;

export type ConditionResult =
  | { ok: true; condition: Condition }
  /** `position` is an offset in the text, in UTF-16 units. */
  | { ok: false; error: { code: RulesErrorCode; message: string; position: number } };

/** Thrown in this file only. */
class ConditionError extends CodedError<RulesErrorCode> {
  readonly position: number;

  constructor(message: string, position: number, code: RulesErrorCode = 'bad-rule') {
    super(rulesErrors, code, message);
    this.position = position;
  }
}

/** Reads what `if` and `until` say, for example `ratio(level:error) > 5% and count >= 20`. Never throws. */
export function parseCondition(text: string): ConditionResult {
  try {
    return { ok: true, condition: { text, terms: new ConditionParser(text).parse() } };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    const { code, message, position } = error;
    return { ok: false, error: { code, message, position } };
  }
}

const measures =
  'count, rate, ratio(filter), distinct(field), sum, avg, min, max or p95 of a field, flapping(filter), absent or new(field)';
const perMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

class ConditionParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Term[] {
    const terms = [this.#term()];
    while (this.#skipSpace() < this.#text.length) {
      const start = this.#at;
      const word = this.#take(/[A-Za-z]+/y);
      if (word?.toLowerCase() !== 'and')
        throw new ConditionError('`and` or the end of the condition is expected here', start);
      terms.push(this.#term());
    }
    return terms;
  }

  #term(): Term {
    const start = this.#skipSpace();
    const name = this.#take(/[A-Za-z]\w*/y)?.toLowerCase();
    if (name === undefined) throw new ConditionError(`a condition begins with ${measures}`, start);
    if (name === 'absent') return { type: 'absent' };
    if (name === 'new') {
      const field = this.#field(name);
      return { type: 'new', field: field === 'pattern' ? null : field };
    }
    const measure = this.#measure(name, start);
    const operatorAt = this.#skipSpace();
    const operator = this.#take(/>=|<=|>|</y) as Operator | undefined;
    if (operator === undefined) throw new ConditionError('>, >=, < or <= is expected here', operatorAt);
    return { type: 'compare', operator, ...this.#value(measure) };
  }

  #measure(name: string, start: number): Measure {
    const [, percent] = /^p(\d{1,2}(?:_\d)?)$/.exec(name) ?? [];
    if (percent !== undefined) {
      const quantile = Number(percent.replace('_', '.')) / 100;
      if (quantile === 0) throw new ConditionError('percentiles are p1 to p99', start);
      return { type: 'quantile', quantile, field: this.#field(name) };
    }
    switch (name) {
      case 'count':
        return { type: name, filter: this.#text[this.#at] === '(' ? this.#filter(name) : null };
      case 'rate':
        return { type: name, perMs: 0 };
      case 'ratio':
      case 'flapping':
        return { type: name, filter: this.#filter(name) };
      case 'sum':
      case 'avg':
      case 'min':
      case 'max':
      case 'distinct':
        return { type: name, field: this.#field(name) };
      default:
        throw new ConditionError(`there is no ${name}: a condition begins with ${measures}`, start);
    }
  }

  /** The number behind the operator with its unit, and what it is relative to. */
  #value(given: Measure): { measure: Measure; value: number; of: 'previous' | 'yesterday' | null } {
    const start = this.#skipSpace();
    const digits = this.#take(/-?(?:\d+\.?\d*|\.\d+)/y);
    if (digits === undefined) throw new ConditionError('a number is expected here', start);
    const number = Number(digits);
    const unit = this.#take(/%|\/[smh]\b|[A-Za-z]+/y) ?? '';
    const of = this.#relative();
    if (of !== null) {
      if (unit !== '%') throw new ConditionError(`\`of ${of}\` takes a percentage, such as 200%`, start);
      const { type } = given;
      if (type === 'quantile' || type === 'distinct' || type === 'flapping')
        throw new ConditionError(
          `${type === 'quantile' ? 'a percentile' : type} is not compared with another window`,
          start,
        );
      // Both sides have the same unit.
      return { measure: type === 'rate' ? { ...given, perMs: 1000 } : given, value: number / 100, of };
    }
    if (given.type === 'rate') {
      const per = perMs[unit.slice(1)];
      if (!unit.startsWith('/') || per === undefined)
        throw new ConditionError('a rate is per second, minute or hour: 10/s, 10/m or 10/h', start);
      return { measure: { ...given, perMs: per }, value: number, of };
    }
    if (given.type === 'ratio') {
      if (unit !== '%') throw new ConditionError('a ratio is compared with a percentage, such as 5%', start);
      return { measure: given, value: number / 100, of };
    }
    if (unit !== '' && 'field' in given && given.type !== 'distinct') {
      const factor = durationMs(`1${unit}`);
      if (Number.isNaN(factor))
        throw new ConditionError(`${unit} is no unit of time: ms, s, m, h or d`, start);
      return { measure: given, value: number * factor, of };
    }
    if (unit !== '') throw new ConditionError(`${given.type} is compared with a plain number`, start);
    if (given.type === 'distinct' && number > maxDistinct)
      throw new ConditionError(`distinct counts up to ${maxDistinct}`, start);
    return { measure: given, value: number, of };
  }

  #relative(): 'previous' | 'yesterday' | null {
    const before = this.#at;
    this.#skipSpace();
    const start = this.#at;
    if (this.#take(/of\b/y) === undefined) {
      this.#at = before;
      return null;
    }
    this.#skipSpace();
    const what = this.#take(/previous\b|yesterday\b/y);
    if (what === undefined) throw new ConditionError('`of previous` or `of yesterday` is expected', start);
    return what as 'previous' | 'yesterday';
  }

  #field(name: string): string {
    const { text, at } = this.#parentheses(name, 'field');
    const field = text.trim();
    if (field === '' || /[\s():"]/.test(field))
      throw new ConditionError(`${name}(…) takes the name of a field`, at);
    return field;
  }

  #filter(name: string): Filter {
    const { text, at } = this.#parentheses(name, 'filter');
    if (text.trim() === '') throw new ConditionError(`${name}(…) takes a filter`, at);
    const result = parseFilter(text);
    if (!result.ok)
      throw new ConditionError(result.error.message, at + result.error.position, 'bad-rule-filter');
    return result.filter;
  }

  /** What is in the parentheses at this place; quoted and escaped ones do not count. */
  #parentheses(name: string, what: string): { text: string; at: number } {
    const text = this.#text;
    if (text[this.#at] !== '(')
      throw new ConditionError(`${name} needs a ${what} in parentheses: ${name}(…)`, this.#at);
    const start = ++this.#at;
    let depth = 1;
    let isQuoted = false;
    for (; this.#at < text.length; this.#at++) {
      const char = text[this.#at];
      if (char === '\\') this.#at++;
      else if (char === '"') isQuoted = !isQuoted;
      else if (!isQuoted && char === '(') depth++;
      else if (!isQuoted && char === ')' && --depth === 0)
        return { text: text.slice(start, this.#at++), at: start };
    }
    throw new ConditionError(`the parenthesis of ${name} is not closed`, start - 1);
  }

  #skipSpace(): number {
    this.#take(/\s*/y);
    return this.#at;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
