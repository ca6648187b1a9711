import { CodedError, requestErrors, type UnknownParameter } from '@logloom/errors';
import type { preHandlerAsyncHookHandler } from 'fastify';

/** The token of a viewer that cannot set headers: every route of the viewers' port accepts it. */
const token = 'access_token';

/** The first unknown name, as the details of `bad-parameter`; undefined if all are known. */
export function unknownParameter(
  names: Iterable<string>,
  known: readonly string[],
): UnknownParameter | undefined {
  for (const parameter of names) if (!known.includes(parameter)) return { parameter, known };
  return undefined;
}

/** The same for a route of the viewers' port. */
export function unknownViewerParameter(
  names: Iterable<string>,
  known: readonly string[],
): UnknownParameter | undefined {
  return unknownParameter(
    [...names].filter((name) => name !== token),
    known,
  );
}

/**
 * For the `preHandler` of a route of the viewers' port: refuses query parameters that the route does not know, because a mistyped one
 * would silently ask for something else. Throws CodedError `bad-parameter`.
 */
export function knownParameters(...known: readonly string[]): preHandlerAsyncHookHandler {
  return async ({ query }) => {
    const details = unknownViewerParameter(Object.keys(query as object), known);
    if (details !== undefined) throw new CodedError(requestErrors, 'bad-parameter', undefined, { details });
  };
}
