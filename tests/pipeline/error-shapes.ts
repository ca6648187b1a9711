import { statusOf } from '@logloom/errors';
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import { errorSections } from '../../tools/docs/error-sections.ts';

export interface Route {
  method: string;
  /** As fastify writes it. */
  pattern: string;
}

/** Notes the routes of all fastify servers that this process makes until stop(); without HEAD, whose responses have no body. */
export function collectRoutes(): { stop: () => Route[] } {
  const routes: Route[] = [];
  const onServer = (message: unknown): void => {
    const { fastify } = message as {
      fastify: {
        addHook: (name: 'onRoute', hook: (route: { method: string | string[]; url: string }) => void) => void;
      };
    };
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) if (each !== 'HEAD') routes.push({ method: each, pattern: url });
    });
  };
  subscribe('fastify.initialization', onServer);
  return {
    stop: () => {
      unsubscribe('fastify.initialization', onServer);
      assert.notEqual(routes.length, 0);
      return routes;
    },
  };
}

/** A path that the pattern takes. */
export function concrete(pattern: string): string {
  return pattern.replaceAll(/:\w+/g, 'x').replaceAll('*', 'x');
}

const declarations = new Map(errorSections.flatMap((section) => Object.entries(section.declarations)));

interface Failure {
  status: number;
  type: string;
  body: Buffer;
  path: string;
}

/** Asserts that a response of 400 or more has the shape of all errors, or its receiver's own with the code in it; returns the code. */
export function assertShape(failure: Failure, about: string): string {
  const text = failure.body.toString();
  const code = foreignCode(failure, text) ?? ownCode(failure, text, about);
  const declaration = declarations.get(code);
  assert.ok(declaration, `${code} is not declared: ${about}`);
  assert.equal(failure.status, statusOf(declaration), about);
  return code;
}

function ownCode({ type }: Failure, text: string, about: string): string {
  assert.match(type, /^application\/json/, about);
  const body = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
  assert.equal(typeof body.error?.code, 'string', about);
  assert.equal(typeof body.error?.message, 'string', about);
  assert.notEqual(body.error?.message, '', about);
  return body.error!.code as string;
}

/** The code in the text of a protocol that is not ours; undefined where the path has none. */
function foreignCode({ path, type }: Failure, text: string): string | undefined {
  const said = /^([a-z0-9-]+)(?:: .|\n$)/;
  if (['/loki/', '/api/prom/', '/ready'].some((start) => path.startsWith(start))) return said.exec(text)?.[1];
  if (['/v1/logs', '/v1/traces', '/otlp/'].some((start) => path.startsWith(start))) {
    // A Status in protobuf has the text after two tags, a number and a length.
    if (type === 'application/x-protobuf') return said.exec(text.replace(/^[^]*?(?=[a-z])/, ''))?.[1];
    if (!type.startsWith('application/json')) return undefined;
    const { message } = JSON.parse(text) as { message?: string };
    return message === undefined ? undefined : said.exec(message)?.[1];
  }
  if (!type.startsWith('application/')) return undefined;
  if (path.startsWith('/services/collector')) {
    const { text: words } = JSON.parse(text) as { text?: string };
    return words === undefined ? undefined : said.exec(words)?.[1];
  }
  if (['/api/v2/logs', '/v1/input', '/api/v1/validate'].some((start) => path.startsWith(start)))
    return (JSON.parse(text) as { errors?: { title: string }[] }).errors?.[0]?.title;
  const { error, status } = JSON.parse(text) as { error?: { reason?: string }; status?: number };
  return error?.reason === undefined || status === undefined ? undefined : said.exec(error.reason)?.[1];
}

/** Writes bytes to a port and reads the response until the connection ends. */
export async function exchange(
  port: number,
  bytes: string,
): Promise<{ status: number; type: string; body: Buffer }> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // A server that has answered may reset what it does not read.
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.write(bytes);
  await closed;
  const all = Buffer.concat(chunks);
  const end = all.indexOf('\r\n\r\n');
  const head = all.subarray(0, end).toString();
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
    type: /^content-type: (.*)$/im.exec(head)?.[1]?.trim() ?? '',
    body: all.subarray(end + 4),
  };
}
