import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic, { type FastifyStaticOptions } from '@fastify/static';
import type { FastifyInstance } from 'fastify';

// Everything comes from this origin; `connect-src 'self'` covers the WebSocket of the same host and port.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const shared: Omit<FastifyStaticOptions, 'root'> = {
  // One route per file: a wildcard would match every unknown path of the port.
  wildcard: false,
  decorateReply: false,
  // Always revalidated by etag, so that a new release is never mixed with an old page.
  cacheControl: false,
  setHeaders(reply) {
    reply.header('Cache-Control', 'no-cache');
    reply.header('Content-Security-Policy', contentSecurityPolicy);
    reply.header('X-Content-Type-Options', 'nosniff');
    reply.header('Referrer-Policy', 'no-referrer');
    reply.header('Cross-Origin-Resource-Policy', 'same-origin');
  },
};

/**
 * Serves the console page at `/` and its files beside it, the viewers' SDK that it uses at `/viewer/src/`. The caller owns every other path
 * of the port (`/live`, `/api/...`); other paths fall through to the caller's not-found handler.
 */
export async function registerConsole(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, { ...shared, root: join(import.meta.dirname, 'page') });
  await app.register(fastifyStatic, {
    ...shared,
    root: dirname(fileURLToPath(import.meta.resolve('@logloom/viewer'))),
    prefix: '/viewer/src/',
    // Tests are beside the sources.
    globIgnore: ['**/*.ts'],
  });
}
