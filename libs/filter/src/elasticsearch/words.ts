import { createHash } from 'node:crypto';
import { tokenize } from '../tokenize.ts';

// Elasticsearch's whitespace analyzer cuts what is longer into several words. A tokenizer that does not is no part of every server.
const maxWordLength = 255;
const keptLength = 200;
// From a range for private use: no word has them, so no wildcard with text at its end takes the digest for a word's end.
const firstDigit = 0xe000;

/** The words of a message for the field `logloom.words`, joined by spaces. */
export function elasticsearchWords(message: string): string {
  return tokenize(message).map(elasticsearchWord).join(' ');
}

/**
 * A word as it is indexed: itself, or, where it is longer than 255 UTF-16 units, its first 200 and a digest of the whole. So it is
 * found whole and by its beginning, but not by a wildcard that asks for what is behind.
 */
export function elasticsearchWord(word: string): string {
  if (word.length <= maxWordLength) return word;
  const endsInPair = /[\ud800-\udbff]/.test(word[keptLength - 1]!);
  const digest = createHash('sha1').update(word).digest('hex');
  const digits = [...digest].map((digit) => String.fromCharCode(firstDigit + Number.parseInt(digit, 16)));
  return word.slice(0, endsInPair ? keptLength - 1 : keptLength) + digits.join('');
}
