/**
 * For test rigs: from its import on, every response of every fastify server in this process, and every message of the global WebSocket,
 * is compared with the contract in docs/api. A process that saw one that is not as documented says so and ends with exit code 1.
 */
import type { FastifyInstance } from 'fastify';
import { subscribe } from 'node:diagnostics_channel';
import {
  clientMessageProblems,
  pathOfUrl,
  responseProblems,
  serverMessageProblems,
  type SeenResponse,
} from './contract.ts';

const violations = new Map<string, string>();

process.on('exit', () => {
  if (violations.size === 0) return;
  process.exitCode = 1;
  for (const [problem, example] of violations)
    process.stderr.write(`not as docs/api says: ${problem}\n  ${example}\n`);
});

function report(what: string, problems: readonly string[], seen: unknown): void {
  if (problems.length === 0) return;
  const text = typeof seen === 'string' ? seen : JSON.stringify(seen);
  violations.set(`${what}: ${problems.slice(0, 5).join('; ')}`, text.slice(0, 500));
}

/** Compares a response with the document. */
export function holdResponse(seen: SeenResponse): void {
  report(`${seen.method} ${seen.route} ${seen.status}`, responseProblems(seen), seen.body);
}

/** Compares a server's message with the live protocol. */
export function holdServerMessage(message: unknown): void {
  report('server message', serverMessageProblems(message), message);
}

/** Compares what the server makes of a client's text with what the schema says of it: both take it, or neither does. */
export function holdClientMessage(text: string, isTaken: boolean): void {
  let problems: string[];
  try {
    problems = clientMessageProblems(JSON.parse(text));
  } catch {
    problems = ['it is not JSON'];
  }
  if (isTaken) report('client message that the server takes', problems, text);
  else if (problems.length === 0) report('client message', ['the server does not take it'], text);
}

subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onSend', async (request, reply, payload) => {
    const { url } = request.routeOptions;
    // What is handed on is documented where it is answered.
    const route = url?.endsWith('*') === true ? pathOfUrl(request.url) : url;
    const { method } = request;
    const contentType = reply.getHeader('content-type') as string | undefined;
    const body = Buffer.isBuffer(payload) ? payload.toString() : payload;
    if (route !== undefined) holdResponse({ method, route, status: reply.statusCode, contentType, body });
  });
});

/** The viewers' SDK uses the global one, as browsers do. */
class HeldWebSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args);
    this.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') holdServerMessage(JSON.parse(data));
    });
  }

  override send(data: Parameters<WebSocket['send']>[0]): void {
    if (typeof data === 'string') report('client message', clientMessageProblems(JSON.parse(data)), data);
    super.send(data);
  }
}
globalThis.WebSocket = HeldWebSocket;
