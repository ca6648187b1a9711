import { createServer, type Server, type ServerResponse } from 'node:http';

/** An HTTP server on which a `POST` of JSON lines, whatever its path, publishes each of them; `onGet` answers everything else. */
export function publishPort(
  publish: (line: string) => void,
  onGet = (response: ServerResponse): void => void response.writeHead(405).end(),
): Server {
  return createServer((request, response) => {
    if (request.method !== 'POST') return onGet(response);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      for (const line of Buffer.concat(chunks).toString().split('\n')) if (line !== '') publish(line);
      response.end();
    });
  });
}

/** Listens on `host:port`, the first argument of the command line. */
export function listen(server: Server): void {
  const [host, port] = process.argv[2]!.split(':');
  server.listen({ host, port: Number(port), backlog: 4096 });
}
