import { declareReasons } from '@logloom/errors';

/** Why a `gap` message says that events were not sent. */
export const gapReasons = declareReasons({
  slow: {
    retriable: true,
    where: 'gap, goodbye',
    cause:
      'The viewer did not read as fast as events came and was over `LIVE_BUFFER_BYTES`. `missed` is exact. As a goodbye: it is sent away, and resumes at its cursor.',
    action:
      "Fetch them with a subscription from the gap's `from`, or by search. Read faster, or filter more narrowly.",
  },
  retention: {
    retriable: false,
    where: 'gap',
    cause:
      'The log no longer has the records between the cursors. `missed` counts all of them, matching or not.',
    action: 'Search finds what is indexed or archived.',
  },
  epoch: {
    retriable: false,
    where: 'gap',
    cause:
      'The cursor belongs to a log that was deleted and began anew. `missed` is 0, because nobody can know.',
    action: 'Go on with the new cursors.',
  },
});

/** Why a `goodbye` message sends a viewer away; `slow` is also one. */
export const goodbyeReasons = declareReasons({
  restart: {
    retriable: true,
    where: 'goodbye',
    cause:
      'This process of several is replaced and the others go on; or a topic was made anew and the live tier begins anew.',
    action:
      'Connect again after `retryAfterMs` with the last cursor; nothing is missed, but for a topic made anew: a gap of reason `epoch` says so.',
  },
  shutdown: {
    retriable: true,
    where: 'goodbye',
    cause: 'The server is stopping.',
    action: 'Connect again after `retryAfterMs` with the last cursor; nothing is missed.',
  },
});

/** With what a WebSocket is closed: by the server itself, or by the WebSocket library on a bad client. */
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
      'No close was received: the network broke, the client gave no sign for a heartbeat, or it let too many replies pile up.',
    action: 'Connect again with the last cursor.',
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
    cause: 'A message came in too many fragments; or, after the error `flooding`, far too many messages did.',
    action: 'Send messages whole.',
  },
  1009: {
    retriable: false,
    where: '`/live`',
    cause: 'A client message was larger than 1 MiB.',
    action: 'Send smaller messages; at most 65,536 bytes are read.',
  },
  1012: {
    retriable: true,
    where: '`/live`',
    cause: 'The server restarts, after its `goodbye`.',
    action: 'Connect again after `retryAfterMs` with the last cursor.',
  },
  1013: {
    retriable: true,
    where: '`/live`',
    cause: 'The viewer was too slow for too long, after its `goodbye` with reason `slow`.',
    action: 'Connect again after `retryAfterMs` with the last cursor; filter more narrowly.',
  },
  4401: {
    retriable: true,
    where: '`/live`',
    cause: 'The token has expired; the error `token-expired` came before.',
    action: 'Connect again with a new token and the last cursor.',
  },
});
