// @ts-check
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/**
 * What a request's log lines carry.
 * @typedef {object} RequestContext
 * @property {string} correlationId
 * @property {string} [traceId] 32 hexadecimal digits, when a traceparent came
 * @property {string} [spanId] the caller's, 16 hexadecimal digits
 *
 * @typedef {Record<string, string | string[] | undefined>} Headers in Node's form: names in lower case
 */

/** @type {AsyncLocalStorage<RequestContext>} */
const storage = new AsyncLocalStorage();

/** Runs a function, and all that it starts, with a context. @template T @param {RequestContext} context @param {() => T} act @returns {T} */
export function runWithContext(context, act) {
  return storage.run(context, act);
}

/** The context of the code that asks; undefined outside of any. @returns {RequestContext | undefined} */
export function currentContext() {
  return storage.getStore();
}

/** The current context's fields for a log line, {} outside of any: pino's `mixin`. @returns {Partial<RequestContext>} */
export function mixin() {
  const context = storage.getStore();
  // pino adds its own to what it gets.
  return context === undefined ? {} : { ...context };
}

/**
 * Headers for a call to another service, so that its lines join the request's. `traceparent` is the tracer's, where there is one.
 * @returns {Record<string, string>}
 */
export function outgoingHeaders() {
  const context = storage.getStore();
  return context === undefined ? {} : { 'x-correlation-id': context.correlationId };
}

/** The ids that a caller may choose: they go into every line, so they must be short and plain. */
const idShape = /^[\w.:/+=@-]{1,128}$/;
/** W3C Trace Context, version 00 and those to come; ids of zeros are none. */
const traceparentShape = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/;

/**
 * A request's context: its id is the first of `x-correlation-id`, `x-request-id` and the trace id of `traceparent` that is well-formed,
 * else a new one.
 * @param {Headers} headers
 * @returns {RequestContext}
 */
export function contextFromHeaders(headers) {
  const [, traceId, spanId] = traceparentShape.exec(single(headers['traceparent'])) ?? [];
  const named = [single(headers['x-correlation-id']), single(headers['x-request-id'])];
  const correlationId = named.find((id) => idShape.test(id)) ?? traceId ?? randomUUID();
  return {
    correlationId,
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
  };
}

/** @param {string | string[] | undefined} header */
function single(header) {
  return (Array.isArray(header) ? header[0] : header) ?? '';
}
