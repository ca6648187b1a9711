import { createHash } from 'node:crypto';
import { tokenize } from '../tokenize.ts';

// Elasticsearch's whitespace analyzer splits longer words. A tokenizer that does not is missing on some servers.
const maxWordLength = 255;
const keptLength = 200;
// Private-use characters, which no word contains: a wildcard with text at its end cannot match the digest as a word's end.
const firstDigit = 0xe000;

/** The words of a message for the field `logloom.words`, joined by spaces. */
export function elasticsearchWords(message: string): string {
  return tokenize(message).map(elasticsearchWord).join(' ');
}

/**
 * A word as it is indexed: itself, or, where it is longer than 255 UTF-16 units, its first 200 and a digest of the whole. So it is found as
 * a whole and by its beginning, but not by a wildcard on the rest.
 */
export function elasticsearchWord(word: string): string {
  if (word.length <= maxWordLength) return word;
  const endsInPair = /[\ud800-\udbff]/.test(word[keptLength - 1]!);
  const digest = createHash('sha1').update(word).digest('hex');
  const digits = [...digest].map((digit) => String.fromCharCode(firstDigit + Number.parseInt(digit, 16)));
  return word.slice(0, endsInPair ? keptLength - 1 : keptLength) + digits.join('');
}
