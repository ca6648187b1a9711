const separators = /[^\p{L}\p{N}_]+/u;
const beyondAscii = /[\u0080-\uffff]/;
const asciiWords = /[a-z0-9_]+/g;
const asciiSeparators = /[^a-z0-9_]+/g;

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
  if (!beyondAscii.test(folded)) return folded.match(asciiWords) ?? [];
  return folded.split(separators).filter((word) => word !== '');
}

/** The words of a text with a space before, between and after them, so that whole words and phrases can be found as text. */
export function joinedWords(text: string): string {
  return joinFoldedWords(text.toLowerCase());
}

/** The same for a text in lower case, whether it went through foldCase or not. */
export function joinFoldedWords(lower: string): string {
  if (beyondAscii.test(lower)) return ` ${tokenizeFolded(lower.replaceAll('ς', 'σ')).join(' ')} `;
  // Replacing costs half of cutting the words out and joining them.
  const joined = lower.replace(asciiSeparators, ' ');
  if (joined === ' ') return '  ';
  return `${joined.startsWith(' ') ? '' : ' '}${joined}${joined.endsWith(' ') ? '' : ' '}`;
}
