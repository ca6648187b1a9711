import { authErrors, guardErrors } from '@logloom/auth';

/**
 * Every error that a viewer can be told. WebSocket: an `error` message, and the connection stays. `status` is the HTTP answer where
 * it happens before the stream starts (upgrade, SSE).
 */
export const liveErrors = {
  'bad-message': { status: 400, retriable: false, message: 'the message is not what the protocol says' },
  'unknown-type': { status: 400, retriable: false, message: 'there is no message of this type' },
  'message-too-large': {
    status: 413,
    retriable: false,
    message: 'the message has more bytes than one may have',
  },
  'binary-not-supported': { status: 400, retriable: false, message: 'messages are JSON in text frames' },
  'bad-filter': { status: 400, retriable: false, message: 'the filter cannot be read' },
  'filter-too-complex': { status: 400, retriable: false, message: 'the filter is larger than one may be' },
  'bad-cursor': { status: 400, retriable: false, message: 'the cursor is none of this stream' },
  'duplicate-id': { status: 400, retriable: false, message: 'a subscription of this connection has this id' },
  'unknown-id': { status: 400, retriable: false, message: 'no subscription of this connection has this id' },
  'too-many-subscriptions': {
    status: 400,
    retriable: false,
    message: 'the connection has as many subscriptions as it may',
  },
  'rate-limited': { status: 429, retriable: true, message: 'too many messages; this one was not looked at' },
  flooding: {
    status: 429,
    retriable: true,
    message: 'messages came much faster than they may, for long; the connection is closed',
  },
  'too-many-connections': {
    status: 429,
    retriable: true,
    message: 'this address has as many connections as it may',
  },
  'connections-exhausted': {
    status: 503,
    retriable: true,
    message: 'this server has as many connections as it takes',
  },
  'too-many-handshakes': {
    status: 503,
    retriable: true,
    message: 'too many viewers come at once; come back a little later',
  },
  ...authErrors,
  ...guardErrors,
  'not-found': { status: 404, retriable: false, message: 'there is nothing to connect to at this path' },
  'too-many-viewers': {
    status: 503,
    retriable: true,
    message: 'this server has as many viewers as it takes',
  },
  draining: { status: 503, retriable: true, message: 'this server is stopping' },
  starting: { status: 503, retriable: true, message: 'this server is still reading the log' },
  'durable-taken': {
    status: 409,
    retriable: false,
    message: 'another subscription has taken this durable name, or it was deleted',
  },
  'too-many-durables': {
    status: 429,
    retriable: false,
    message: 'there are as many durable names as there may be; delete one that is not used',
  },
  'durable-unavailable': {
    status: 503,
    retriable: true,
    message: 'the cursors of durable subscriptions cannot be read; subscribe again',
  },
  'log-unavailable': {
    status: 503,
    retriable: true,
    message: 'the log could not be read; subscribe again at the last cursor',
  },
} as const satisfies Record<string, { status: number; retriable: boolean; message: string }>;

export type LiveErrorCode = keyof typeof liveErrors;

/** What went wrong with one request of a viewer. */
export interface LiveError {
  code: LiveErrorCode;
  message: string;
  /** The subscription's id, where the request had one. */
  id?: string;
  /** Where in the filter, in UTF-16 units. */
  position?: number;
}

export function liveError(
  code: LiveErrorCode,
  details: { message?: string; id?: string | undefined; position?: number } = {},
): LiveError {
  const { message = liveErrors[code].message, id, position } = details;
  return {
    code,
    message,
    ...(id === undefined ? {} : { id }),
    ...(position === undefined ? {} : { position }),
  };
}
