import { Untranslatable } from './imported-rule.ts';
import type { PatternPart, TextPattern } from './text-pattern.ts';

const maxPatterns = 32;

export interface RegexPatterns {
  patterns: TextPattern[];
  isCased: boolean;
  /** Otherwise they match more: any characters stand for what a class or a repetition allows. */
  isExact: boolean;
}

/**
 * The texts with wildcards that a regular expression stands for: alternatives, groups, classes, repetitions, `^` and `$`. `isWhole`: it has
 * to match the whole text. Throws Untranslatable for anything else, such as a look-ahead, and for more than 32 alternatives.
 */
export function patternsOfRegex(regex: string, isWhole: boolean): RegexPatterns {
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
  return { patterns, isCased: flags === null || !flags[1]!.includes('i'), isExact: reader.isExact };
}

/** What is different about patterns that are not exact. */
export function anyCharacters(regex: string): string {
  return `/${regex}/: its classes and repetitions stand for any characters`;
}

type Part = PatternPart | 'begin' | 'end';

function unknown(regex: string): Untranslatable {
  return new Untranslatable(
    `filters have no regular expressions, and /${regex}/ is more than texts and wildcards`,
  );
}

/** What a backslash makes a class of characters. */
const characterClasses = 'dDwWsS';
const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' };
const maxRepeated = 16;

class RegexReader {
  readonly #text: string;
  readonly #whole: string;
  #at = 0;
  #isExact = true;

  constructor(text: string, whole: string) {
    this.#text = text;
    this.#whole = whole;
  }

  get isExact(): boolean {
    return this.#isExact;
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
    const [quantifier] = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#text.slice(this.#at)) ?? [];
    if (quantifier === undefined) return atom;
    if (atom.flat().some((part) => part === 'begin' || part === 'end')) throw unknown(this.#whole);
    this.#at += quantifier.length;
    // Lazy or not, it matches the same texts.
    if (this.#text[this.#at] === '?') this.#at++;
    if (quantifier === '?') return [[], ...atom];
    const [, low, comma, high] = /^\{(\d+)(,?)(\d*)\}$/.exec(quantifier) ?? [];
    const least = low === undefined ? (quantifier === '+' ? 1 : 0) : Number(low);
    const isFixed = low !== undefined && (comma === '' || high === low);
    if (least > maxRepeated) throw unknown(this.#whole);
    const isAnyCharacter = atom.length === 1 && atom[0]!.length === 1 && atom[0]![0] === 'one';
    const isOpen = low === undefined || (comma === ',' && high === '');
    if (!isFixed && !(isAnyCharacter && isOpen)) this.#isExact = false;
    let found: Part[][] = [[]];
    for (let i = 0; i < least; i++)
      found = this.#checked(found.flatMap((before) => atom.map((after) => [...before, ...after])));
    return isFixed ? found : found.map((parts) => [...parts, 'any']);
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
      case '(':
        return this.#group();
      case '[':
        return this.#characters();
      case '\\':
        return this.#escaped();
      case '*':
      case '+':
      case '?':
      case '{':
        throw unknown(this.#whole);
      default:
        return [[{ text: char }]];
    }
  }

  #group(): Part[][] {
    if (this.#text.startsWith('?:', this.#at)) this.#at += 2;
    else if (this.#text[this.#at] === '?') throw unknown(this.#whole);
    const inner = this.#alternatives();
    if (this.#text[this.#at++] !== ')') throw unknown(this.#whole);
    return inner;
  }

  #escaped(): Part[][] {
    const letter = this.#text[this.#at++];
    if (letter === undefined) throw unknown(this.#whole);
    const control = controls[letter];
    if (control !== undefined) return [[{ text: control }]];
    if (!/[A-Za-z0-9]/.test(letter)) return [[{ text: letter }]];
    this.#isExact = false;
    if (letter === 'b') return [[]];
    if (!characterClasses.includes(letter)) throw unknown(this.#whole);
    return [['one']];
  }

  /** A class: a few characters, such as [45], are alternatives; another one stands for any character. */
  #characters(): Part[][] {
    const [whole, inner = ''] =
      /^(\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*)\]/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined || inner === '' || inner === '^') throw unknown(this.#whole);
    this.#at += whole.length;
    const digits = /^(\d)-(\d)$/.exec(inner);
    if (digits !== null) {
      const [from, to] = [Number(digits[1]), Number(digits[2])];
      if (from > to) throw unknown(this.#whole);
      return Array.from({ length: to - from + 1 }, (_, i) => [{ text: String(from + i) }]);
    }
    if (/^[A-Za-z0-9_ .,:;/@#%=]{1,10}$/.test(inner)) return [...inner].map((text) => [{ text }]);
    this.#isExact = false;
    return [['one']];
  }

  #checked(found: Part[][]): Part[][] {
    if (found.length > maxPatterns) throw unknown(this.#whole);
    return found;
  }
}
