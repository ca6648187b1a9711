// @ts-check
const firstMs = 500;
const longestMs = 15_000;
/** The delay, ms, that a full server requests in `Retry-After`, which a browser does not expose. */
const overloadedMs = 5_000;
/** Try again later (IANA's registry of WebSocket close codes). */
const tryAgainLater = 1013;

/**
 * How long to wait before the next try, in ms: doubles from 0.5 s to 15 s, the upper half of it random, so that viewers that lost their
 * connections together do not all reconnect at once. A restart (1012) without a goodbye counts as an ordinary loss.
 * @param {number} attempt failed tries before this one, from 0
 * @param {number | undefined} closeCode the WebSocket's, where one came
 * @param {() => number} random 0 to 1
 */
export function reconnectDelay(attempt, closeCode, random) {
  const ceiling = Math.min(longestMs, firstMs * 2 ** attempt);
  const delay = (ceiling * (1 + random())) / 2;
  return closeCode === tryAgainLater ? Math.max(delay, overloadedMs * (1 + random())) : delay;
}
