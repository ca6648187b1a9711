import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

/** docs/api/openapi.yaml: the contract of every HTTP route. */
const source = join(import.meta.dirname, '../../../../docs/api/openapi.yaml');

/** A JSON Schema (draft 2020-12), as far as the contract uses it. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  title?: string;
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  required?: string[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  unevaluatedProperties?: boolean;
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  examples?: unknown[];
}

export interface MediaType {
  schema?: JsonSchema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

export interface Parameter {
  name: string;
  in: 'query' | 'path' | 'header';
  description?: string;
  required?: boolean;
  schema: JsonSchema;
  example?: unknown;
}

export interface Header {
  description?: string;
  schema: JsonSchema;
}

export interface Response {
  description: string;
  headers?: Record<string, Header>;
  content?: Record<string, MediaType>;
}

export interface Server {
  url: string;
  description?: string;
}

export interface Operation {
  operationId?: string;
  tags: string[];
  summary: string;
  description?: string;
  servers?: Server[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, MediaType> };
  responses: Record<string, Response>;
}

export const methods = ['get', 'head', 'post', 'put', 'delete'] as const;
export type Method = (typeof methods)[number];

export type PathItem = { servers?: Server[]; parameters?: Parameter[] } & Partial<Record<Method, Operation>>;

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; summary: string; description: string };
  servers: Server[];
  tags: { name: string; description: string }[];
  paths: Record<string, PathItem>;
  components: { schemas: Record<string, JsonSchema>; [kind: string]: Record<string, unknown> };
}

let read: OpenApiDocument | undefined;

/**
 * The contract as one document: schemas in files of their own are under `components.schemas`, by their titles. Read once. Throws when a
 * file cannot be read.
 */
export function openApiDocument(): OpenApiDocument {
  return (read ??= bundle());
}

function bundle(): OpenApiDocument {
  // This is Logloom's own file: its many uses of an anchor are not an attack.
  const document = parse(readFileSync(source, 'utf8'), { merge: true, maxAliasCount: -1 }) as OpenApiDocument;
  const schemas: Record<string, JsonSchema> = {};
  const titles = new Map<string, string>();

  const include = (file: string): string => {
    const known = titles.get(file);
    if (known !== undefined) return known;
    const { $schema: _, ...schema } = JSON.parse(readFileSync(file, 'utf8')) as JsonSchema & {
      $schema: string;
    };
    const title = schema.title!;
    titles.set(file, title);
    schemas[title] = rewrite(schema, dirname(file), `#/components/schemas/${title}`) as JsonSchema;
    return title;
  };
  const rewrite = (value: unknown, folder: string, self: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => rewrite(item, folder, self));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        if (name !== '$ref' || typeof member !== 'string') return [name, rewrite(member, folder, self)];
        if (member.startsWith('#')) return [name, self + member.slice(1)];
        return [name, `#/components/schemas/${include(join(folder, member))}`];
      }),
    );
  };
  const whole = rewrite(document, dirname(source), '#') as OpenApiDocument;
  Object.assign(whole.components.schemas, schemas);
  return whole;
}

/** Resolves a `$ref` of the document; returns anything else unchanged. Throws TypeError if the reference leads nowhere. */
export function resolve<T extends object>(document: OpenApiDocument, value: T): T {
  const { $ref } = value as { $ref?: string };
  if ($ref === undefined) return value;
  let found: unknown = document;
  for (const part of $ref.slice(2).split('/'))
    found = (found as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  if (typeof found !== 'object' || found === null) throw new TypeError(`${$ref} is not in the document`);
  return resolve(document, found as T);
}
