import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

export interface CapturedRequest {
  path: string;
  contentType: string;
  /** The body, unpacked. */
  body: Buffer;
}

/** Runs `send` against a server that forwards each request to `address`. Returns the requests that had a body. */
export async function captureRequests(
  address: string,
  send: (address: string) => Promise<void>,
): Promise<CapturedRequest[]> {
  const captured: CapturedRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      const type = request.headers['content-type'] ?? '';
      const isPacked = request.headers['content-encoding'] === 'gzip';
      if (body.length > 0)
        captured.push({ path: request.url!, contentType: type, body: isPacked ? gunzipSync(body) : body });
      const headers = { 'content-type': type, 'content-encoding': isPacked ? 'gzip' : 'identity' };
      const result = await fetch(address + request.url!, {
        method: request.method!,
        ...(body.length > 0 && { body: new Uint8Array(body), headers }),
      });
      response.writeHead(result.status, {
        'content-type': result.headers.get('content-type') ?? 'application/json',
        'x-elastic-product': result.headers.get('x-elastic-product') ?? '',
      });
      response.end(Buffer.from(await result.arrayBuffer()));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  return captured;
}
