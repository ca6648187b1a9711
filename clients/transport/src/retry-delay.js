// @ts-check
const firstMs = 250;
const longestMs = 15_000;

/**
 * How long to wait before a repetition, in ms: doubles from 0.25 s to 15 s, the upper half random, so that a fleet does not come back at
 * once. What the server asked for (`Retry-After`) is the least, with up to a quarter more.
 * @param {number} attempt repetitions before this one
 * @param {number} [askedMs]
 */
export function retryDelay(attempt, askedMs = 0) {
  const ceiling = Math.min(longestMs, firstMs * 2 ** attempt);
  return Math.max((ceiling * (1 + Math.random())) / 2, askedMs * (1 + Math.random() / 4));
}
