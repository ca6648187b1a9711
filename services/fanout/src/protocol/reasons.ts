import { declareReasons } from '@logloom/errors';

/** Why a `gap` message says that events were not sent. */
export const gapReasons = declareReasons({
  slow: {
    retriable: true,
    where: 'gap, goodbye',
    cause:
      'The viewer read more slowly than events arrived and exceeded `LIVE_BUFFER_BYTES`. `missed` is exact. As a goodbye: the viewer is disconnected, and can resume at its cursor.',
    action:
      "Fetch them with a subscription from the gap's `from`, or by search. Read faster, or filter more narrowly.",
  },
  retention: {
    retriable: false,
    where: 'gap',
    cause:
      'The log no longer has the records between the cursors. `missed` counts all of them, matching or not.',
    action: 'Search for them: indexed events may still be there.',
  },
  epoch: {
    retriable: false,
    where: 'gap',
    cause:
      'The cursor belongs to a log that was deleted and recreated. `missed` is 0, because the number cannot be known.',
    action: 'Continue with the new cursors.',
  },
});

/** Why a `goodbye` message sends a viewer away; `slow` is also one. */
export const goodbyeReasons = declareReasons({
  ended: {
    retriable: true,
    where: 'goodbye',
    cause: 'An operator ended this connection (`DELETE /api/viewers/{id}`, `logloom viewers --end`).',
    action:
      'Reconnect after `retryAfterMs` with the last cursor; nothing is missed. Operators: revoke the token to keep the viewer away.',
  },
  restart: {
    retriable: true,
    where: 'goodbye',
    cause:
      'This process is being replaced while others keep serving; or a topic was recreated and the live tier restarts on it.',
    action:
      'Reconnect after `retryAfterMs` with the last cursor. Nothing is missed, except after a recreated topic, which a gap of reason `epoch` announces.',
  },
  shutdown: {
    retriable: true,
    where: 'goodbye',
    cause: 'The server is stopping.',
    action: 'Reconnect after `retryAfterMs` with the last cursor; nothing is missed.',
  },
});

/** The close codes of a WebSocket: by the server itself, or by the WebSocket library for a bad client. */
export const closeCodes = declareReasons({
  1002: {
    retriable: false,
    where: '`/live`',
    cause: 'The client broke the WebSocket protocol.',
    action: 'Fix the client.',
  },
  1006: {
    retriable: true,
    where: '`/live`',
    cause:
      'No close was received: the network broke, the client was silent for a whole heartbeat, or it let too many replies pile up.',
    action: 'Reconnect with the last cursor.',
  },
  1007: {
    retriable: false,
    where: '`/live`',
    cause: 'A text frame was not UTF-8.',
    action: 'Fix the client.',
  },
  1008: {
    retriable: false,
    where: '`/live`',
    cause: 'A message arrived in too many fragments; or, after the error `flooding`, too many messages did.',
    action: 'Send messages unfragmented, and fewer of them.',
  },
  1009: {
    retriable: false,
    where: '`/live`',
    cause: 'A client message was larger than 1 MiB.',
    action: 'Send smaller messages; `maxPayload` of `hello` is the limit.',
  },
  1012: {
    retriable: true,
    where: '`/live`',
    cause: 'The server restarts, after its `goodbye`.',
    action: 'Reconnect after `retryAfterMs` with the last cursor.',
  },
  1013: {
    retriable: true,
    where: '`/live`',
    cause: 'The viewer was too slow for too long, after its `goodbye` with reason `slow`.',
    action: 'Reconnect after `retryAfterMs` with the last cursor; filter more narrowly.',
  },
  4401: {
    retriable: true,
    where: '`/live`',
    cause: 'The token has expired; the error `token-expired` came before.',
    action: 'Reconnect with a new token and the last cursor.',
  },
});
