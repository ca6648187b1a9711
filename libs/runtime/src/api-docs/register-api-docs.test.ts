import fastify from 'fastify';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { closedSchema } from '../testing/closed-schema.ts';
import { documentedRoutes } from '../testing/contract.ts';
import { validator } from '../testing/validator.ts';
import { openApiDocument, resolve, type JsonSchema, type MediaType } from './open-api-document.ts';
import { registerApiDocs } from './register-api-docs.ts';

test('the page has every route and schema, and neither scripts nor anything from another place', async () => {
  await using app = fastify();
  registerApiDocs(app);
  const { body, headers } = await app.inject('/api/docs');
  for (const { path } of documentedRoutes())
    assert.ok(body.includes(`<code class="path">${path}</code>`), path);
  for (const name of Object.keys(openApiDocument().components.schemas))
    assert.ok(body.includes(`id="schema-${name}"`), name);
  assert.doesNotMatch(body, /<script|<link|<img|<iframe|\son\w+=|url\(|@import/);
  // A path in the repository leads nowhere from here.
  assert.doesNotMatch(body, /\w\.md\b/);
  const style = /<style>([^]*?)<\/style>/.exec(body)![1]!;
  const hash = createHash('sha256').update(style).digest('base64');
  const policy = String(headers['content-security-policy']);
  assert.ok(policy.startsWith(`default-src 'none'; style-src 'sha256-${hash}'`), policy);
  const anchors = new Set(Array.from(body.matchAll(/ id="([^"]+)"/g), ([, id]) => id!));
  for (const [, target] of body.matchAll(/href="#([^"]+)"/g)) assert.ok(anchors.has(target!), target);
});

test('the document is whole: every reference is in it, ids of operations are unique, parameters of paths are declared', async () => {
  await using app = fastify();
  registerApiDocs(app);
  const text = (await app.inject('/api/openapi.json')).body;
  const document = openApiDocument();
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(document)));
  for (const [, $ref] of text.matchAll(/"\$ref":"([^"]+)"/g)) {
    assert.ok($ref!.startsWith('#/'), $ref);
    assert.doesNotThrow(() => resolve(document, { $ref } as { $ref: string }), $ref);
  }
  const ids = documentedRoutes().flatMap(({ operation }) => operation.operationId ?? []);
  assert.deepEqual(ids.length, new Set(ids).size);
  const tags = document.tags.map(({ name }) => name);
  for (const { path, item, operation } of documentedRoutes()) {
    const declared = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((p) =>
      resolve(document, p),
    );
    for (const [, name] of path.matchAll(/\{(\w+)\}/g))
      assert.ok(
        declared.some((p) => p.in === 'path' && p.name === name && p.required),
        `${path}: ${name}`,
      );
    for (const tag of operation.tags) assert.ok(tags.includes(tag), tag);
  }
});

test('every example is what its schema says', () => {
  const document = openApiDocument();
  let examples = 0;
  const check = (schema: JsonSchema, example: unknown, about: string): void => {
    examples++;
    assert.deepEqual(validator(closedSchema(document, schema))(example), [], about);
  };
  const checkContent = (content: Record<string, MediaType>, about: string): void => {
    for (const [type, { schema, example, examples: more = {} }] of Object.entries(content)) {
      if (schema === undefined || !/json$/.test(type)) continue;
      if (example !== undefined) check(schema, example, `${about}: ${type}`);
      for (const { value } of Object.values(more)) check(schema, value, `${about}: ${type}`);
    }
  };
  for (const { path, method, operation } of documentedRoutes()) {
    if (operation.requestBody !== undefined) checkContent(operation.requestBody.content, `${method} ${path}`);
    for (const [status, response] of Object.entries(operation.responses))
      checkContent(resolve(document, response).content ?? {}, `${method} ${path} ${status}`);
  }
  for (const [name, schema] of Object.entries(document.components.schemas))
    for (const [part, each] of [['', schema] as const, ...Object.entries(schema.$defs ?? {})])
      if (each.type === 'object')
        for (const example of each.examples ?? []) check(each, example, `${name} ${part}`);
  assert.ok(examples > 60, `${examples} examples are checked`);
});
