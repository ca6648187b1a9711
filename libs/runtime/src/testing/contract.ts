import {
  methods,
  openApiDocument,
  resolve,
  type JsonSchema,
  type MediaType,
  type Method,
  type Operation,
  type Parameter,
  type PathItem,
} from '../api-docs/open-api-document.ts';
import { closedSchema } from './closed-schema.ts';
import { validator } from './validator.ts';

export interface SeenResponse {
  /** In upper or lower case. */
  method: string;
  /** As fastify knows the route: `/api/events/:id`. */
  route: string;
  status: number;
  contentType: string | undefined;
  /** A response that is a stream, or bytes, is not looked into. */
  body: unknown;
}

export interface DocumentedRoute {
  path: string;
  method: Method;
  item: PathItem;
  operation: Operation;
}

type Problems = (value: unknown) => string[];

const validators = new Map<JsonSchema, Problems>();

function problemsOf(schema: JsonSchema): Problems {
  let found = validators.get(schema);
  if (found === undefined) {
    found = validator(closedSchema(openApiDocument(), schema));
    validators.set(schema, found);
  }
  return found;
}

/** A route's path as the document writes it. */
export function documentedPath(route: string): string {
  return route.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}');
}

/** The documented route of a method and a path pattern; undefined where there is none. HEAD is documented with GET. */
export function documentedRoute(method: string, route: string): DocumentedRoute | undefined {
  const path = documentedPath(route);
  const wanted = method.toLowerCase() as Method;
  const found = documentedOperation(path, wanted);
  return found === undefined && wanted === 'head' ? documentedOperation(path, 'get') : found;
}

function documentedOperation(path: string, method: Method): DocumentedRoute | undefined {
  const document = openApiDocument();
  const given = document.paths[path];
  if (given === undefined) return undefined;
  const item = resolve(document, given);
  const operation = item[method];
  return operation && { path, method, item, operation };
}

/** The documented path that a URL is of; undefined where there is none. A path without parameters goes before one with. */
export function pathOfUrl(url: string): string | undefined {
  patterns ??= Object.keys(openApiDocument().paths)
    .map((path) => ({ path, parts: path.split('{').length }))
    .sort((a, b) => a.parts - b.parts)
    .map(({ path }) => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`) }));
  const { pathname } = new URL(url, 'http://localhost');
  return patterns.find(({ pattern }) => pattern.test(pathname))?.path;
}

let patterns: { path: string; pattern: RegExp }[] | undefined;

/** Every documented operation. */
export function documentedRoutes(): DocumentedRoute[] {
  return Object.keys(openApiDocument().paths).flatMap((path) =>
    methods.flatMap((method) => documentedOperation(path, method) ?? []),
  );
}

/** The names of a route's query parameters. */
export function queryParameters({ item, operation }: DocumentedRoute): string[] {
  const document = openApiDocument();
  return [...(item.parameters ?? []), ...(operation.parameters ?? [])]
    .map((each): Parameter => resolve(document, each))
    .filter((parameter) => parameter.in === 'query')
    .map(({ name }) => name);
}

/** What the document does not say of a response; empty when it is as documented, or of a route that is not documented. */
export function responseProblems({ method, route, status, contentType, body }: SeenResponse): string[] {
  const document = openApiDocument();
  const found = documentedRoute(method, route);
  if (found === undefined) return [];
  const { responses } = found.operation;
  const given = responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
  if (given === undefined) return [`${status} is not documented`];
  const { content = {} } = resolve(document, given);
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  // HEAD, 204 and 304 have a type at most; fastify drops what a handler of HEAD sends after this.
  if (method.toUpperCase() === 'HEAD' || body === undefined || body === null || body === '') return [];
  // Elasticsearch's clients may ask for its own type, which is JSON.
  const media: MediaType | undefined =
    content[type] ?? content[type.replace(/^application\/vnd\..*\+json$/, 'application/json')];
  if (media === undefined) return [`${status} with ${type} is not documented`];
  if (media.schema === undefined || typeof body !== 'string' || !/json$/.test(type)) return [];
  return problemsOf(media.schema)(JSON.parse(body));
}

const live = (title: string): JsonSchema => openApiDocument().components.schemas[title]!;

/** What is wrong with a message that a server sent over `/live` or `/live/sse`. */
export function serverMessageProblems(message: unknown): string[] {
  return problemsOf(live('ServerMessage'))(message);
}

/** What is wrong with a message that a client sends over `/live`; members that the protocol does not have are let pass. */
export function clientMessageProblems(message: unknown): string[] {
  clientMessage ??= validator(openMessages());
  return clientMessage(message);
}

let clientMessage: Problems | undefined;

function openMessages(): JsonSchema {
  const { oneOf, $defs } = JSON.parse(
    JSON.stringify(live('ClientMessage')).replaceAll('#/components/schemas/ClientMessage/', '#/'),
  ) as JsonSchema;
  return { oneOf: oneOf!, $defs: $defs! };
}
