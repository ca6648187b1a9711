import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Connection {
  /** Known only while it is open. */
  address: string;
  client: Socket;
  upstream: Socket;
  /** All that went to the client. */
  passed: Buffer[];
}

/** A TCP proxy that cuts all its connections, and remembers what it has passed to each client. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #connections: Connection[] = [];
  #isAway = false;

  static async open(upstreamPort: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(upstreamPort);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  private constructor(upstreamPort: number) {
    this.#server = createServer((client) => {
      if (this.#isAway) return client.destroy();
      const upstream = connect(upstreamPort, '127.0.0.1');
      const connection: Connection = { address: client.remoteAddress!, client, upstream, passed: [] };
      this.#connections.push(connection);
      client.on('data', (bytes) => upstream.write(bytes));
      upstream.on('data', (bytes) => {
        connection.passed.push(bytes);
        client.write(bytes);
      });
      for (const socket of [client, upstream]) {
        socket.on('error', () => {});
        socket.on('close', () => this.#end(connection));
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get bytesPassed(): number {
    return this.#connections.reduce(
      (total, { passed }) => total + passed.reduce((sum, { length }) => sum + length, 0),
      0,
    );
  }

  /** Cuts all connections, and takes none for a time. What was passed before arrives. */
  cut(awayMs: number): void {
    this.#isAway = true;
    setTimeout(() => (this.#isAway = false), awayMs);
    for (const connection of this.#connections) this.#end(connection);
  }

  /** The text messages of WebSockets that were passed whole, by the client's address. */
  webSocketMessages(): Map<string, string[]> {
    const messages = new Map<string, string[]>();
    for (const { address, passed } of this.#connections) {
      messages.set(address, [...(messages.get(address) ?? []), ...messagesIn(Buffer.concat(passed))]);
    }
    return messages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut(0);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #end({ client, upstream }: Connection): void {
    upstream.destroy();
    client.destroySoon();
  }
}

/** Of a server's whole frames, which are not masked (RFC 6455, 5.2); those that are no text are left out. */
function messagesIn(stream: Buffer): string[] {
  const messages: string[] = [];
  let at = stream.indexOf('\r\n\r\n') + 4;
  while (at > 3 && at + 2 <= stream.length) {
    const opcode = stream[at]! & 0x0f;
    let length = stream[at + 1]! & 0x7f;
    let start = at + 2;
    if (length === 126) {
      if (start + 2 > stream.length) break;
      length = stream.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      if (start + 8 > stream.length) break;
      length = Number(stream.readBigUInt64BE(start));
      start += 8;
    }
    at = start + length;
    if (at <= stream.length && opcode === 1) messages.push(stream.toString('utf8', start, at));
  }
  return messages;
}
