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

const dashes = ['-', '/', '–', '—', '―'];

/** The patterns that a value stands for after a modifier that changes texts; undefined if it is none of those. */
export function transformValue(modifier: string, pattern: TextPattern): TextPattern[] | undefined {
  const encode = (encoding: BufferEncoding): TextPattern[] => {
    const bytes = Buffer.from(literalOf(pattern, modifier), encoding);
    return [[{ text: bytes.toString('latin1') }]];
  };
  switch (modifier) {
    case 'wide':
    case 'utf16le':
      return encode('utf16le');
    case 'base64':
      return [[{ text: Buffer.from(literalOf(pattern, modifier), 'latin1').toString('base64') }]];
    case 'base64offset':
      return base64Offsets(literalOf(pattern, modifier)).map((text) => [{ text }]);
    case 'windash':
      return withDashes(pattern);
    default:
      return undefined;
  }
}

/** What the bytes look like in base64, wherever they begin: without the characters that depend on what is before and after them. */
function base64Offsets(text: string): string[] {
  const bytes = Buffer.from(text, 'latin1');
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset, ' '), bytes]).toString('base64');
    const begin = [0, 2, 3][offset]!;
    const end = [undefined, -3, -2][(bytes.length + offset) % 3];
    return encoded.slice(begin, end);
  });
}

/** A dash or slash at the beginning of a word is an option of a command; Windows takes several characters for it. */
function withDashes(pattern: TextPattern): TextPattern[] {
  const found = pattern.map((part) => {
    if (typeof part !== 'object') return [part];
    const variants = dashes.map((dash) => part.text.replaceAll(/(^|\s)[-/](?=\w)/g, `$1${dash}`));
    return [...new Set(variants)].map((text) => ({ text }));
  });
  return found.reduce<TextPattern[]>(
    (before, variants) => before.flatMap((parts) => variants.map((part) => [...parts, part])),
    [[]],
  );
}
