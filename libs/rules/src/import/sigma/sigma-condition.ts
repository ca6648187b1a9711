import { and, not, or, type Expression } from '../expression.ts';
import { Untranslatable } from '../imported-rule.ts';

/** The search identifiers of a detection. */
export interface Searches {
  names: readonly string[];
  expression: (name: string) => Expression;
}

/**
 * Reads a condition such as `selection and not 1 of filter*`; `not` binds tighter than `and`, and `and` tighter than `or`. Throws
 * Untranslatable for one that has something else in it.
 */
export function sigmaCondition(text: string, searches: Searches): Expression {
  return new ConditionReader(text, searches).read();
}

class ConditionReader {
  readonly #tokens: string[];
  readonly #searches: Searches;
  #at = 0;

  constructor(text: string, searches: Searches) {
    this.#tokens = text.match(/[()]|[^\s()]+/g) ?? [];
    this.#searches = searches;
  }

  read(): Expression {
    const found = this.#or();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return found;
  }

  #or(): Expression {
    const children = [this.#and()];
    while (this.#take('or')) children.push(this.#and());
    return or(children);
  }

  #and(): Expression {
    const children = [this.#not()];
    while (this.#take('and')) children.push(this.#not());
    return and(children);
  }

  #not(): Expression {
    return this.#take('not') ? not(this.#not()) : this.#primary();
  }

  #primary(): Expression {
    if (this.#take('(')) {
      const inner = this.#or();
      if (!this.#take(')')) throw this.#unexpected();
      return inner;
    }
    const token = this.#tokens[this.#at];
    if (token === undefined || token === ')') throw this.#unexpected();
    this.#at++;
    if (this.#take('of')) return this.#quantified(token.toLowerCase());
    return this.#search(token);
  }

  #quantified(quantity: string): Expression {
    const pattern = this.#tokens[this.#at++] ?? '';
    const names = this.#searches.names.filter((name) =>
      pattern.toLowerCase() === 'them' ? !name.startsWith('_') : matchesName(name, pattern),
    );
    if (names.length === 0) throw new Untranslatable(`nothing in the detection is called ${pattern}`);
    const found = names.map((name) => this.#search(name));
    if (quantity === 'all') return and(found);
    if (quantity === '1' || quantity === 'any') return or(found);
    throw new Untranslatable(`"${quantity} of" in its condition`);
  }

  #search(name: string): Expression {
    if (!this.#searches.names.includes(name))
      throw new Untranslatable(`nothing in the detection is called ${name}`);
    return this.#searches.expression(name);
  }

  #take(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false;
    this.#at++;
    return true;
  }

  #unexpected(): Untranslatable {
    const token = this.#tokens[this.#at];
    return new Untranslatable(`its condition has ${token ?? 'an end'} where that is not expected`);
  }
}

function matchesName(name: string, pattern: string): boolean {
  const texts = pattern.split('*');
  const regex = new RegExp(`^${texts.map((text) => text.replaceAll(/[^\w]/g, '\\$&')).join('.*')}$`);
  return regex.test(name);
}
