import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { noParameters } from '../known-parameters.ts';
import { docsPage } from './docs-page.ts';
import { openApiDocument } from './open-api-document.ts';

interface Made {
  json: string;
  page: string;
  policy: string;
}

let made: Made | undefined;

/**
 * Adds GET /api/openapi.json, the contract, and GET /api/docs, the same as a page without scripts that loads nothing. Both contain nothing
 * secret and need no token. They are built at the first request.
 */
export function registerApiDocs(app: FastifyInstance): void {
  const options = { preHandler: noParameters() };
  app.get('/api/openapi.json', options, async (_, reply) =>
    reply
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send((made ??= make()).json),
  );
  app.get('/api/docs', options, async (_, reply) => {
    const { page, policy } = (made ??= make());
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', policy)
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-cache')
      .send(page);
  });
}

function make(): Made {
  const document = openApiDocument();
  const style = readFileSync(join(import.meta.dirname, 'docs-style.css'), 'utf8');
  const hash = createHash('sha256').update(style).digest('base64');
  return {
    json: JSON.stringify(document),
    page: docsPage(document, style),
    policy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}
