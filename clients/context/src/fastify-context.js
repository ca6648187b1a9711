// @ts-check
import { contextFromHeaders, runWithContext } from './context.js';

/**
 * The part of Fastify that is used, so that this package needs none of its types.
 * @typedef {{ headers: import('./context.js').Headers }} FastifyRequestLike
 * @typedef {{ header: (name: string, value: string) => unknown }} FastifyReplyLike
 * @typedef {{ addHook: (name: any, hook: (request: any, reply: any, done: () => void) => void) => unknown }} FastifyLike
 */

/**
 * A Fastify plugin: hooks and handlers run in the request's context, and the answer has the id as `x-correlation-id`. Register it first.
 * @param {FastifyLike} app
 */
export async function fastifyContext(app) {
  /** @type {WeakMap<object, import('./context.js').RequestContext>} */
  const contexts = new WeakMap();
  app.addHook(
    'onRequest',
    (/** @type {FastifyRequestLike} */ request, /** @type {FastifyReplyLike} */ reply, done) => {
      const context = contextFromHeaders(request.headers);
      contexts.set(request, context);
      reply.header('x-correlation-id', context.correlationId);
      runWithContext(context, done);
    },
  );
  // Reading the body leaves the context: the socket's events belong to the connection.
  app.addHook('preValidation', (/** @type {FastifyRequestLike} */ request, _reply, done) => {
    const context = contexts.get(request);
    if (context === undefined) done();
    else runWithContext(context, done);
  });
}
// For the whole application, not only for what is registered within (what fastify-plugin does).
Object.assign(fastifyContext, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'logloom-context',
});
