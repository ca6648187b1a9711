import { joinParts, type PatternPart, type TextPattern } from '../text-pattern.ts';
import { Untranslatable } from '../imported-rule.ts';

/** A value of Sigma as a pattern: `*` and `?` are wildcards, and a backslash before one of them or another backslash escapes it. */
export function parseSigmaValue(text: string): TextPattern {
  const parts: PatternPart[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    const next = text[i + 1];
    if (char === '\\' && next !== undefined && '*?\\'.includes(next)) {
      parts.push({ text: next });
      i++;
    } else if (char === '*') parts.push('any');
    else if (char === '?') parts.push('one');
    else parts.push({ text: char });
  }
  return joinParts(parts);
}

/** The text of a pattern without wildcards. Throws Untranslatable if there are some. */
function literalOf(pattern: TextPattern, modifier: string): string {
  const parts = joinParts(pattern);
  if (parts.length === 0) return '';
  const [part] = parts;
  if (parts.length > 1 || typeof part !== 'object')
    throw new Untranslatable(`${modifier} cannot have wildcards in its value`);
  return part.text;
}

const dashBeforeWord = /(?<![\p{L}\p{N}_])[-/](?=[\p{L}\p{N}_])/gu;
const dashes = ['-', '/', '–', '—', '―'];

/** The patterns that a value stands for after a modifier that changes texts; undefined if it is none of those. */
export function transformValue(modifier: string, pattern: TextPattern): TextPattern[] | undefined {
  switch (modifier) {
    case 'wide':
    case 'utf16le':
      return [[{ text: inUtf16(literalOf(pattern, modifier)) }]];
    case 'base64':
      return [[{ text: Buffer.from(literalOf(pattern, modifier)).toString('base64') }]];
    case 'base64offset':
      return base64Offsets(literalOf(pattern, modifier)).map((text) => [{ text }]);
    case 'windash':
      return withDashes(pattern);
    default:
      return undefined;
  }
}

/** Each character with the zero that it has in UTF-16. */
function inUtf16(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new Untranslatable('the modifier wide of a text that is not ASCII');
  return text.replaceAll(/./g, '$&\0');
}

/** What the bytes look like in base64, wherever they begin: without the characters that depend on what is before and after them. */
function base64Offsets(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset, ' '), bytes]).toString('base64');
    const begin = [0, 2, 3][offset]!;
    const end = [undefined, -3, -2][(bytes.length + offset) % 3];
    return encoded.slice(begin, end);
  });
}

const maxVariants = 32;

/** A dash or slash at the beginning of a word is an option of a command; Windows takes several characters for it. */
function withDashes(pattern: TextPattern): TextPattern[] {
  let found: PatternPart[][] = [[]];
  const append = (parts: readonly PatternPart[]): void => {
    found = found.flatMap((before) => parts.map((part) => [...before, part]));
    if (found.length > maxVariants)
      throw new Untranslatable(`the modifier windash would take ${found.length} clauses`);
  };
  for (const part of pattern) {
    if (typeof part !== 'object') append([part]);
    else
      for (const [i, text] of part.text.split(dashBeforeWord).entries()) {
        if (i > 0) append(dashes.map((dash) => ({ text: dash })));
        append([{ text }]);
      }
  }
  return found.map(joinParts);
}
