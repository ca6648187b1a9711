import { CodedError, requestErrors, type UnknownParameter } from '@logloom/errors';
import type { preHandlerAsyncHookHandler } from 'fastify';

/** The token of a viewer that cannot set headers. */
const token = 'access_token';

/** The first unknown name, as the details of `bad-parameter`; undefined if all are known. */
export function unknownParameter(
  names: Iterable<string>,
  known: readonly string[],
): UnknownParameter | undefined {
  for (const parameter of names) if (!known.includes(parameter)) return { parameter, known };
  return undefined;
}

/** The same for a route of the viewers' port that requires a token where tokens are required. */
export function unknownViewerParameter(
  names: Iterable<string>,
  known: readonly string[],
): UnknownParameter | undefined {
  return unknownParameter(names, [...known, token]);
}

/**
 * For the `preHandler` of a route of the viewers' port: refuses query parameters that the route does not know, because a mistyped one
 * would silently ask for something else. Throws CodedError `bad-parameter`.
 */
export function knownParameters(...known: readonly string[]): preHandlerAsyncHookHandler {
  return async ({ query }) => refuse(unknownViewerParameter(Object.keys(query as object), known));
}

/** The same for a route that has no parameters and requires no token. A client that sends its token with every request may do so here. */
export function noParameters(): preHandlerAsyncHookHandler {
  return async ({ query }) => {
    const names = Object.keys(query as object).filter((name) => name !== token);
    refuse(unknownParameter(names, []));
  };
}

function refuse(details: UnknownParameter | undefined): void {
  if (details !== undefined) throw new CodedError(requestErrors, 'bad-parameter', undefined, { details });
}
