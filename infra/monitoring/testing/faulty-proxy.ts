import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * What it does to a request: passes it on; passes it on twice, as a proxy does that retries a POST; passes on the lines of its body in
 * reverse order; passes it on without its Authorization; or closes the connection.
 */
export type ProxyFault = 'none' | 'repeat' | 'reverse' | 'anonymous' | 'refuse';

/** An HTTP proxy on loopback, for WebSocket too, that makes what proxies in front of Logloom are known to do wrong. */
export class FaultyProxy implements Disposable {
  readonly url: string;
  fault: ProxyFault = 'none';
  readonly #target: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string): Promise<FaultyProxy> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const proxy = new FaultyProxy(server, target);
    server.on('request', (incoming, outgoing) => {
      proxy.#pass(incoming, outgoing).catch(() => outgoing.destroy());
    });
    server.on('upgrade', (incoming, socket, head) => proxy.#upgrade(incoming, socket as Socket, head));
    return proxy;
  }

  /** Begins a fault; connections that were upgraded end where it refuses. */
  begin(fault: ProxyFault): Disposable {
    this.fault = fault;
    if (fault === 'refuse') for (const socket of this.#sockets) socket.destroy();
    return { [Symbol.dispose]: () => void (this.fault = 'none') };
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close().closeAllConnections();
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    if (this.fault === 'refuse') return void outgoing.destroy();
    const sent = this.fault === 'reverse' ? reversedLines(body) : body;
    if (this.fault === 'repeat') await buffer(await this.#ask(incoming, sent));
    const answer = await this.#ask(incoming, sent);
    outgoing.writeHead(answer.statusCode!, answer.headers).end(await buffer(answer));
  }

  async #ask({ url, method, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { hostname, port } = new URL(this.#target);
    const { 'transfer-encoding': _, ...kept } = headers;
    if (this.fault === 'anonymous') delete kept.authorization;
    const length = body.length > 0 ? { 'content-length': body.length } : {};
    const asked = request({ hostname, port, path: url, method, headers: { ...kept, ...length } }).end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  }

  #upgrade({ url, headers, rawHeaders }: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => {});
    if (this.fault === 'refuse' || headers.upgrade === undefined) return void socket.destroy();
    const { hostname, port } = new URL(this.#target);
    const target = connect(Number(port), hostname, () => {
      const lines = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
      target.write([`GET ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
      target.write(head);
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => socket.destroy());
    target.on('close', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      target.destroy();
    });
    this.#sockets.add(socket);
  }
}

function reversedLines(body: Buffer): Buffer {
  const lines = body.toString().trimEnd().split('\n');
  return Buffer.from(`${lines.reverse().join('\n')}\n`);
}
