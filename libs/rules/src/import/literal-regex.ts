import { Untranslatable } from './imported-rule.ts';
import type { PatternPart, TextPattern } from './text-pattern.ts';

const maxPatterns = 32;

/**
 * The texts with wildcards that a regular expression stands for, if it is that simple: alternatives, groups, `.`, `.*`, `.+`, `^` and `$`,
 * characters and classes of a few of them. `isWhole`: it has to match the whole text. Throws Untranslatable for any other.
 */
export function patternsOfRegex(
  regex: string,
  isWhole: boolean,
): { patterns: TextPattern[]; isCased: boolean } {
  const flags = /^\(\?([a-z]+)\)/.exec(regex);
  if (flags !== null && !/^[is]+$/.test(flags[1]!)) throw unknown(regex);
  const reader = new RegexReader(flags === null ? regex : regex.slice(flags[0].length), regex);
  const alternatives = reader.read();
  const patterns = alternatives.map((parts) => {
    const begins = parts[0] === 'begin';
    const ends = parts.at(-1) === 'end';
    const inner = parts.slice(begins ? 1 : 0, ends ? -1 : undefined);
    if (inner.includes('begin') || inner.includes('end')) throw unknown(regex);
    const open = (isClosed: boolean): PatternPart[] => (isWhole || isClosed ? [] : ['any']);
    return [...open(begins), ...(inner as PatternPart[]), ...open(ends)];
  });
  return { patterns, isCased: flags === null || !flags[1]!.includes('i') };
}

type Part = PatternPart | 'begin' | 'end';

function unknown(regex: string): Untranslatable {
  return new Untranslatable(
    `filters have no regular expressions, and /${regex}/ is not just texts and wildcards`,
  );
}

class RegexReader {
  readonly #text: string;
  readonly #whole: string;
  #at = 0;

  constructor(text: string, whole: string) {
    this.#text = text;
    this.#whole = whole;
  }

  read(): Part[][] {
    const found = this.#alternatives();
    if (this.#at < this.#text.length) throw unknown(this.#whole);
    return found;
  }

  #alternatives(): Part[][] {
    const found = this.#sequence();
    while (this.#text[this.#at] === '|') {
      this.#at++;
      found.push(...this.#sequence());
    }
    return this.#checked(found);
  }

  #sequence(): Part[][] {
    let found: Part[][] = [[]];
    while (this.#at < this.#text.length && !/[|)]/.test(this.#text[this.#at]!)) {
      const next = this.#quantified(this.#atom());
      found = this.#checked(found.flatMap((before) => next.map((after) => [...before, ...after])));
    }
    return found;
  }

  #quantified(atom: Part[][]): Part[][] {
    const quantifier = this.#text[this.#at];
    if (quantifier === undefined || !'*+?{'.includes(quantifier)) return atom;
    const isAnyCharacter = atom.length === 1 && atom[0]!.length === 1 && atom[0]![0] === 'one';
    this.#at++;
    if (quantifier === '?' && !isAnyCharacter) return [[], ...atom];
    if (!isAnyCharacter || quantifier === '{' || quantifier === '?') throw unknown(this.#whole);
    // Lazy or not, it matches the same texts.
    if (this.#text[this.#at] === '?') this.#at++;
    return quantifier === '*' ? [['any']] : [['one', 'any']];
  }

  #atom(): Part[][] {
    const char = this.#text[this.#at++]!;
    switch (char) {
      case '.':
        return [['one']];
      case '^':
        return [['begin']];
      case '$':
        return [['end']];
      case '(': {
        if (this.#text.startsWith('?:', this.#at)) this.#at += 2;
        else if (this.#text[this.#at] === '?') throw unknown(this.#whole);
        const inner = this.#alternatives();
        if (this.#text[this.#at++] !== ')') throw unknown(this.#whole);
        return inner;
      }
      case '[':
        return this.#characters();
      case '\\': {
        const escaped = this.#text[this.#at++];
        if (escaped === undefined || /[A-Za-z0-9]/.test(escaped)) throw unknown(this.#whole);
        return [[{ text: escaped }]];
      }
      case '*':
      case '+':
      case '?':
      case '{':
        throw unknown(this.#whole);
      default:
        return [[{ text: char }]];
    }
  }

  /** A class such as [45] or [Ee]; ranges of digits too. */
  #characters(): Part[][] {
    const end = this.#text.indexOf(']', this.#at);
    const inner = this.#text.slice(this.#at, end);
    const range = /^(\d)-(\d)$/.exec(inner);
    if (end < 0 || (range === null && !/^[A-Za-z0-9_ .,:;/@#%=]+$/.test(inner))) throw unknown(this.#whole);
    this.#at = end + 1;
    if (range === null) return [...inner].map((text) => [{ text }]);
    const [from, to] = [Number(range[1]), Number(range[2])];
    if (from > to) throw unknown(this.#whole);
    return Array.from({ length: to - from + 1 }, (_, i) => [{ text: String(from + i) }]);
  }

  #checked(found: Part[][]): Part[][] {
    if (found.length > maxPatterns) throw unknown(this.#whole);
    return found;
  }
}
