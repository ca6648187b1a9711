import { authErrors, guardErrors } from '@logloom/auth';
import { messageOf, pickErrors, requestErrors, type CodeOf, type UnknownParameter } from '@logloom/errors';
import { eventLogErrors } from '@logloom/event-log';
import { filterErrors } from '@logloom/filter';
import { storageErrors } from '@logloom/sqlite';
import { viewerErrors } from './protocol/viewer-errors.ts';

export { viewerErrors };

/**
 * Every error that a viewer can be told. WebSocket: an `error` message, and the connection stays. The status is that of the HTTP
 * response where it happens before the stream starts (upgrade, SSE).
 */
export const liveErrors = {
  ...viewerErrors,
  ...authErrors,
  ...guardErrors,
  ...filterErrors,
  ...storageErrors,
  ...pickErrors(eventLogErrors, 'log-unavailable'),
  ...pickErrors(requestErrors, 'bad-cursor', 'bad-parameter', 'bad-request', 'method-not-allowed'),
  ...pickErrors(requestErrors, 'not-found', 'starting', 'draining'),
};

export type LiveErrorCode = CodeOf<typeof liveErrors>;

/** The error of one request of a viewer. */
export interface LiveError {
  code: LiveErrorCode;
  message: string;
  /** The subscription's id, where the request had one. */
  id?: string;
  /** The position in the filter, in UTF-16 units. */
  position?: number;
  /** The query parameter that does not exist or has a wrong value, and those that exist. */
  parameter?: string;
  known?: readonly string[];
}

/** `bad-parameter` of an upgrade request, which does not reach a route's handler. */
export function unknownParameterError(unknown: UnknownParameter): LiveError {
  return { code: 'bad-parameter', message: messageOf(liveErrors['bad-parameter'], unknown), ...unknown };
}

/** `bad-parameter`: of a value in a URL. */
export function badParameter(parameter: string, message: string): LiveError {
  return { code: 'bad-parameter', message, parameter };
}

export function liveError(
  code: LiveErrorCode,
  details: { message?: string; id?: string | undefined; position?: number } = {},
): LiveError {
  const { message = messageOf(liveErrors[code]), id, position } = details;
  return {
    code,
    message,
    ...(id === undefined ? {} : { id }),
    ...(position === undefined ? {} : { position }),
  };
}
