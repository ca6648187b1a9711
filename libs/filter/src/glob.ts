/**
 * A value with wildcards: `*` stands for any characters, `?` for one code point, and a backslash escapes the character after it. Globs are
 * stored as text; these functions read it.
 */
export type GlobPart = { type: 'text'; text: string } | { type: 'any' } | { type: 'one' };

/** The parts of a glob, in one form only: adjacent text is joined, `**` is `*`, and `*?` is `?*`. */
export function globParts(glob: string): GlobPart[] {
  const parts: GlobPart[] = [];
  for (let i = 0; i < glob.length; i++) {
    const last = parts.at(-1);
    const character = glob[i]!;
    if (character === '*') {
      if (last?.type !== 'any') parts.push({ type: 'any' });
    } else if (character === '?') {
      if (last?.type === 'any') parts.splice(-1, 0, { type: 'one' });
      else parts.push({ type: 'one' });
    } else {
      const text = character === '\\' && i + 1 < glob.length ? glob[++i]! : character;
      if (last?.type === 'text') last.text += text;
      else parts.push({ type: 'text', text });
    }
  }
  return parts;
}

/** Writes parts as text again, with `escape` over each run of text. */
export function formatGlob(
  parts: readonly GlobPart[],
  escape: (text: string) => string = escapeGlob,
): string {
  return parts
    .map((part) => (part.type === 'text' ? escape(part.text) : part.type === 'any' ? '*' : '?'))
    .join('');
}

/** A glob that matches exactly this text. */
export function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?]/g, '\\$&');
}

/** The one text that the parts match, or undefined when there is a wildcard in them. */
export function literalOf(parts: readonly GlobPart[]): string | undefined {
  if (parts.length === 0) return '';
  const [only] = parts;
  return parts.length === 1 && only?.type === 'text' ? only.text : undefined;
}

/**
 * Tests whole texts against a glob. Not a regular expression: filters come from outside, and `*a*a*a*b` makes a backtracking engine run
 * forever; this is at worst length × length.
 */
export function globMatcher(glob: string): (text: string) => boolean {
  const parts = globParts(glob);
  if (parts.some((part) => part.type === 'one')) return withSingles(parts);
  const runs = [''];
  for (const part of parts) {
    if (part.type === 'text') runs[runs.length - 1] = part.text;
    else runs.push('');
  }
  const first = runs[0]!;
  if (runs.length === 1) return (text) => text === first;
  const last = runs.at(-1)!;
  const middle = runs.slice(1, -1);
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let from = first.length;
    for (const run of middle) {
      const at = text.indexOf(run, from);
      if (at < 0) return false;
      from = at + run.length;
    }
    return from <= text.length - last.length;
  };
}

const anyRun = 0;
const oneCharacter = 1;

// The usual two-pointer match, which backtracks to the last star only; over code points, because `?` stands for one.
function withSingles(parts: readonly GlobPart[]): (text: string) => boolean {
  const pattern = parts.flatMap<string | number>((part) =>
    part.type === 'text' ? [...part.text] : [part.type === 'any' ? anyRun : oneCharacter],
  );
  return (text) => {
    const characters = [...text];
    let p = 0;
    let star = -1;
    let resume = 0;
    for (let i = 0; i < characters.length;) {
      if (pattern[p] === anyRun) {
        star = p++;
        resume = i;
      } else if (pattern[p] === oneCharacter || pattern[p] === characters[i]) {
        p++;
        i++;
      } else if (star >= 0) {
        p = star + 1;
        i = ++resume;
      } else {
        return false;
      }
    }
    while (pattern[p] === anyRun) p++;
    return p === pattern.length;
  };
}
