import { FilterError } from '../filter-error.ts';

export const maxClauses = 64;
export const maxNesting = 32;

export type Comparison = '>=' | '>' | '<=' | '<';

/** The position of a clause in the text, and the comparison sign that was removed from it. */
export interface Clause {
  position: number;
  valuePosition: number;
  /** For a range: the position of its upper bound. */
  maxPosition: number;
  comparison: Comparison | undefined;
}

export interface Scanned {
  /** The filter in a form that the `lucene` parser reads correctly; empty if there is no clause. */
  text: string;
  /** The clauses in the order in which they stand in the text. */
  clauses: Clause[];
}

/** One level of parentheses: what the next thing in it may be. */
interface Level {
  position: number;
  hasOr: boolean;
  required: number;
  isEmpty: boolean;
}

// The characters that the parser accepts after a backslash.
const escapable = new Set('+-!(){}[]^"?:\\&|\'/~* ');
const space = /\s/;
const wordOperator = /(?:AND|OR|NOT)(?=[\s()"]|$)/y;
const comparisonSign = /[<>]=?/y;

/**
 * Checks a filter's text and rewrites it for the `lucene` parser. That parser drops trailing and doubled operators, reads `OR NOT` as OR,
 * stops at a colon inside a value, knows no comparisons, takes `f:-5` for a negation, and needs exponential time to fail inside
 * parentheses. So it only gets text that it reads correctly. Throws FilterError.
 */
export class Scanner {
  readonly #source: string;
  #at = 0;
  #out = '';
  readonly #clauses: Clause[] = [];
  readonly #open: Level[] = [];
  #level: Level = { position: 0, hasOr: false, required: -1, isEmpty: true };
  // The operator that waits for its right side, and the signs before it.
  #operator = '';
  #operatorPosition = -1;
  #negated = false;
  #prefixPosition = -1;

  constructor(source: string) {
    this.#source = source;
  }

  scan(): Scanned {
    for (this.#skipSpace(); this.#at < this.#source.length; this.#skipSpace()) this.#next();
    this.#endLevel();
    if (this.#open.length > 0) throw new FilterError('this parenthesis is not closed', this.#level.position);
    return { text: this.#out, clauses: this.#clauses };
  }

  #next(): void {
    const character = this.#source[this.#at]!;
    const pair = this.#source.slice(this.#at, this.#at + 2);
    wordOperator.lastIndex = this.#at;
    const word = wordOperator.exec(this.#source)?.[0];
    if (word === 'NOT') this.#prefix(3, true);
    else if (word !== undefined) this.#binary(word, word.length);
    else if (pair === '&&' || pair === '||') this.#binary(pair === '&&' ? 'AND' : 'OR', 2);
    else if (character === '(') this.#openGroup(this.#at);
    else if (character === ')') this.#closeGroup();
    else if (character === '+' || character === '-' || character === '!') {
      if (space.test(this.#source[this.#at + 1] ?? ' ')) {
        throw new FilterError(`nothing follows this "${character}"; quote it to search for it`, this.#at);
      }
      if (character === '+') this.#level.required = this.#at;
      this.#prefix(1, character !== '+');
    } else this.#clause();
  }

  #prefix(length: number, negates: boolean): void {
    if (this.#prefixPosition < 0) this.#prefixPosition = this.#at;
    if (negates) this.#negated = !this.#negated;
    this.#at += length;
  }

  #binary(operator: string, length: number): void {
    if (this.#level.isEmpty || this.#operator !== '' || this.#prefixPosition >= 0) {
      throw new FilterError(`there is nothing on the left of this ${operator}`, this.#at);
    }
    if (operator === 'OR') this.#level.hasOr = true;
    this.#operator = operator;
    this.#operatorPosition = this.#at;
    this.#at += length;
  }

  /** Writes what stands before a clause or a parenthesis: the operator and at most one NOT, each with single spaces. */
  #beginOperand(): void {
    const operator = this.#negated ? `${this.#operator} NOT `.trimStart() : `${this.#operator} `.trimStart();
    this.#out += this.#level.isEmpty ? operator : ` ${operator}`;
    this.#level.isEmpty = false;
    this.#operator = '';
    this.#negated = false;
    this.#prefixPosition = -1;
  }

  #openGroup(position: number): void {
    this.#beginOperand();
    this.#emitOpen(position);
  }

  #emitOpen(position: number): void {
    if (this.#open.length === maxNesting)
      throw new FilterError(`more than ${maxNesting} parentheses inside each other`, position);
    this.#open.push(this.#level);
    this.#level = { position: this.#at, hasOr: false, required: -1, isEmpty: true };
    this.#out += '(';
    this.#at++;
  }

  #closeGroup(): void {
    const outer = this.#open.pop();
    if (outer === undefined) throw new FilterError('this parenthesis was not opened', this.#at);
    if (this.#level.isEmpty && this.#prefixPosition < 0) {
      throw new FilterError('there is nothing in these parentheses', this.#level.position);
    }
    this.#endLevel();
    this.#level = outer;
    this.#out += ')';
    this.#at++;
    this.#refuseModifier();
  }

  #endLevel(): void {
    if (this.#prefixPosition >= 0)
      throw new FilterError('there is nothing to negate here', this.#prefixPosition);
    if (this.#operator !== '') {
      throw new FilterError(
        `there is nothing on the right of this ${this.#operator}`,
        this.#operatorPosition,
      );
    }
    if (this.#level.hasOr && this.#level.required >= 0) {
      throw new FilterError('"+" has no meaning beside OR; use AND and parentheses', this.#level.required);
    }
  }

  #clause(): void {
    const position = this.#at;
    const word = this.#source[position] === '"' ? '' : this.#readWord(':');
    const isField = word !== '' && this.#source[this.#at] === ':';
    if (!isField) this.#at = position;
    this.#beginOperand();
    if (isField) {
      this.#at++;
      this.#out += `${word}:`;
      this.#skipSpace();
      if (this.#source[this.#at] === '(') {
        this.#emitOpen(position);
        return;
      }
    }
    if (this.#clauses.length === maxClauses)
      throw new FilterError(`more than ${maxClauses} conditions`, position);
    this.#clauses.push({
      position,
      valuePosition: this.#at,
      maxPosition: this.#at,
      comparison: this.#readComparison(),
    });
    this.#value(isField ? 'field' : 'none');
    this.#refuseModifier();
  }

  #readComparison(): Comparison | undefined {
    comparisonSign.lastIndex = this.#at;
    const sign = comparisonSign.exec(this.#source)?.[0] as Comparison | undefined;
    if (sign !== undefined) {
      this.#at += sign.length;
      this.#skipSpace();
    }
    return sign;
  }

  #value(before: 'field' | 'none'): void {
    const position = this.#at;
    const clause = this.#clauses.at(-1)!;
    const character = this.#source[position];
    if (character === undefined || character === ')') {
      throw new FilterError('a value is missing here', position);
    }
    if (character === '/') {
      throw new FilterError(
        'regular expressions are not supported; quote a value that starts with "/"',
        position,
      );
    }
    if (clause.comparison === undefined && character === '"') this.#out += `"${this.#readQuoted()}"`;
    else if (clause.comparison === undefined && /[[{]/.test(character)) this.#range(clause);
    else {
      const word = clause.comparison === undefined ? this.#readWord('space') : this.#bound('space');
      // The word is not an operator here (it was escaped, or it belongs to a field), and the parser must not read it as one.
      this.#out += before === 'none' && /^(?:AND|OR|NOT)$/.test(word) ? `"${word}"` : word;
    }
  }

  #range(clause: Clause): void {
    const position = this.#at;
    const opening = this.#source[this.#at++]!;
    this.#skipSpace();
    const min = this.#bound(']');
    this.#skipSpace();
    if (!/^TO\s/.test(this.#source.slice(this.#at, this.#at + 3))) {
      throw new FilterError('a range is written [from TO to], with "*" for an open end', position);
    }
    this.#at += 2;
    this.#skipSpace();
    clause.valuePosition = position + 1;
    clause.maxPosition = this.#at;
    const max = this.#bound(']');
    this.#skipSpace();
    const closing = this.#source[this.#at];
    if (closing !== ']' && closing !== '}') throw new FilterError('this range is not closed', position);
    this.#at++;
    this.#out += `${opening}${min} TO ${max}${closing}`;
  }

  /** The end of a range or the right side of a comparison. The parser knows no quotes there: they become escapes. */
  #bound(stops: 'space' | ']'): string {
    const position = this.#at;
    if (this.#source[position] !== '"') return this.#readWord(stops);
    const text = this.#readQuoted().replaceAll(/\\(.)/gs, '$1');
    if (text === '' || /[\t\r\n\f]/.test(text)) {
      throw new FilterError('the end of a range cannot be empty or hold tabs and line breaks', position);
    }
    return escapeForParser(text);
  }

  /** Reads up to a space or a sign of the syntax (and up to `stops`); returns it as the parser wants it. */
  #readWord(stops: 'space' | ':' | ']'): string {
    const start = this.#at;
    let word = '';
    for (; this.#at < this.#source.length; this.#at++) {
      const character = this.#source[this.#at]!;
      if (character === '\\') {
        const escaped = this.#source[++this.#at];
        if (escaped === undefined || /[\t\r\n\f]/.test(escaped)) {
          throw new FilterError('a backslash must stand before a character', this.#at - 1);
        }
        word += escapable.has(escaped) ? `\\${escaped}` : escaped;
      } else if (space.test(character) || character === '(' || character === ')' || character === '"') break;
      else if (character === ':' && stops === ':') break;
      else if (/[[\]{}]/.test(character)) {
        // A clause may start with a range; within a range the bracket ends the word.
        if (stops === ':' ? word === '' && /[[{]/.test(character) : stops === ']' && /[\]}]/.test(character))
          break;
        throw new FilterError(`"${character}" must be quoted or escaped with a backslash`, this.#at);
      } else if (character === '~' || character === '^') this.#refuseModifier();
      else if (stops === 'space' && /^(?:&&|\|\|)/.test(this.#source.slice(this.#at, this.#at + 2))) {
        throw new FilterError('put spaces around this operator, or quote it', this.#at);
      } else {
        const isSign = character === ':' || character === '/' || (word === '' && /[+\-!]/.test(character));
        word += isSign ? `\\${character}` : character;
      }
    }
    if (word === '' && stops !== ':') throw new FilterError('a value is missing here', start);
    if (word === '' && this.#source[this.#at] === ':')
      throw new FilterError('a field name is missing here', start);
    return word;
  }

  /** Reads a quoted text; returns its inside, with the backslashes that the parser wants. */
  #readQuoted(): string {
    const start = this.#at++;
    let text = '';
    for (; this.#at < this.#source.length; this.#at++) {
      const character = this.#source[this.#at]!;
      if (character === '"') {
        this.#at++;
        if (this.#source[this.#at] === ':')
          throw new FilterError('a field name cannot be quoted; escape it', start);
        return text;
      }
      if (character === '\\') {
        const escaped = this.#source[++this.#at] ?? '';
        text += escapable.has(escaped) ? `\\${escaped}` : escaped;
      } else text += character;
    }
    throw new FilterError('this quote is not closed', start);
  }

  #refuseModifier(): void {
    const character = this.#source[this.#at];
    if (character === '~')
      throw new FilterError('fuzzy and proximity search ("~") are not supported', this.#at);
    if (character === '^')
      throw new FilterError('boosts ("^") are not supported: events have no score', this.#at);
  }

  #skipSpace(): void {
    while (this.#at < this.#source.length && space.test(this.#source[this.#at]!)) this.#at++;
  }
}

function escapeForParser(text: string): string {
  return text.replaceAll(/[+\-!(){}[\]^"?:\\&|'/~* ]/g, '\\$&');
}
