const separators = /[^\p{L}\p{N}_]+/u;

// 1 for the ASCII characters that belong to a word.
const wordCharacters = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  if (/[a-z0-9_]/.test(String.fromCharCode(code))) wordCharacters[code] = 1;
}

/**
 * The text in the letters that words are compared in. A sigma at a word's end has a special lower case, which depends on what follows the
 * word; it is folded so that a word looks the same everywhere.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}

/**
 * The words of a text: lower case, split at everything but letters, digits and underscore. The one definition of a word for the
 * live tail, the search index and the filters.
 */
export function tokenize(text: string): string[] {
  return tokenizeFolded(foldCase(text));
}

/** The same for a text that went through foldCase already. */
export function tokenizeFolded(folded: string): string[] {
  const words: string[] = [];
  let start = -1;
  for (let i = 0; i < folded.length; i++) {
    const code = folded.charCodeAt(i);
    if (code > 127) return folded.split(separators).filter((word) => word !== '');
    if (wordCharacters[code] === 1) {
      if (start < 0) start = i;
    } else if (start >= 0) {
      words.push(folded.slice(start, i));
      start = -1;
    }
  }
  if (start >= 0) words.push(folded.slice(start));
  return words;
}
