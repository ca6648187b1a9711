import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Taken {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Answer = (taken: Taken, response: ServerResponse) => void;

/** A server on the loopback address that keeps every request, and answers as it is told: 200 by default. */
export async function startHttpReceiver(answer: Answer = (_, response) => response.writeHead(200).end('ok')) {
  const taken: Taken[] = [];
  const receiver = { answer };
  const server = createServer((request, response) => {
    void text(request).then(
      (body) => {
        const one = { method: request.method!, path: request.url!, headers: request.headers, body };
        taken.push(one);
        receiver.answer(one, response);
      },
      () => {},
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    taken,
    /** From now on it answers so. */
    answerWith: (next: Answer): void => void (receiver.answer = next),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with a status and headers. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Answer {
  return (_, response) => response.writeHead(code, headers).end(body);
}
