// @ts-check
/** @typedef {import('./context.js').RequestContext} RequestContext */
export { contextFromHeaders, currentContext, mixin, outgoingHeaders, runWithContext } from './context.js';
export { expressContext } from './express-context.js';
export { fastifyContext } from './fastify-context.js';
