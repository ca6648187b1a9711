/** The maximum number of ways in which a pattern may match from one position in a text. */
const maxWays = 1000;
const bounded = /^\{(\d{1,4})(?:,(\d{1,4}))?\}/;

/**
 * Why a regular expression may take long on some text, undefined when it may not. What it can try at one place is bounded by the
 * product of its choices: so there is no `*`, `+` and `{n,}`, no repeated group, no look-around and no back-reference.
 */
export function unboundedIn(pattern: string): string | undefined {
  let ways = 1;
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '\\') {
      const next = pattern[++i] ?? '';
      if (/[1-9k]/.test(next)) return 'has a back-reference';
      continue;
    }
    if (inClass) {
      inClass = char !== ']';
      continue;
    }
    const before = pattern[i - 1];
    const repeatsGroup = before === ')' && pattern[i - 2] !== '\\';
    if (char === '[') inClass = true;
    else if (char === '*' || char === '+') return `has ${char}: write {0,64} or the like`;
    else if (char === '(' && /^\((?:\?[=!]|\?<[=!])/.test(pattern.slice(i))) return 'has a look-around';
    else if (char === '|' || (char === '?' && before !== '(')) ways *= 2;
    else if (char === '{') {
      const [text, least = '0', most = least] = bounded.exec(pattern.slice(i)) ?? [];
      // With the flag u, a brace means nothing else except in \p{…} and \u{…}.
      if (text === undefined) {
        if (/\\[pPu]$/.test(pattern.slice(0, i))) continue;
        return 'has a repetition without an upper bound: write {1,64} or the like';
      }
      if (repeatsGroup) return 'repeats a group';
      ways *= Math.max(1, Number(most) - Number(least) + 1);
      if (Number(most) > 1000) return 'repeats more than 1000 times';
      i += text.length - 1;
    }
    if (ways > maxWays) return `has more than ${maxWays} ways to match: bound its repetitions lower`;
  }
  return undefined;
}
