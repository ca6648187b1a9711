import { foldCase, tokenizeFolded } from '../tokenize.ts';

/** A word of a text and its position: UTF-16 code units, `end` not included. */
export interface WordSpan {
  word: string;
  start: number;
  end: number;
}

/** The words that tokenize() returns, with their positions in the original text. */
export function wordSpans(text: string): WordSpan[] {
  const folded = foldCase(text);
  const spans: WordSpan[] = [];
  const placeOf = folded === text || isAscii(text) ? (at: number): number => at : unfolding(text);
  let from = 0;
  for (const word of tokenizeFolded(folded)) {
    const at = nextWord(folded, from);
    from = at + word.length;
    spans.push({ word, start: placeOf(at), end: placeOf(from - 1) + lengthAt(text, placeOf(from - 1)) });
  }
  return spans;
}

const wordCharacter = /[\p{L}\p{N}_]/u;

/** Where the next word begins: separators contain no word characters. */
function nextWord(folded: string, from: number): number {
  let at = from;
  while (!wordCharacter.test(String.fromCodePoint(folded.codePointAt(at)!))) at++;
  return at;
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

function lengthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** Some letters are longer in lower case, such as İ: returns the original position of the character at a position of the folded text. */
function unfolding(text: string): (at: number) => number {
  const places: number[] = [];
  let place = 0;
  for (const character of text) {
    for (let i = foldCase(character).length; i > 0; i--) places.push(place);
    place += character.length;
  }
  return (at) => places[at] ?? text.length;
}
