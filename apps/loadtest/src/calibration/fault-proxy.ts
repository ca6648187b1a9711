import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Stands between the load test and the viewers' port, so that connections can be cut and slowed down. */
export class ViewersProxy implements AsyncDisposable {
  /** How long bytes of the server are held back. */
  delayMs = 0;
  readonly #clients = new Set<Socket>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(target: number): Promise<ViewersProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new ViewersProxy(server);
    server.on('connection', (client) => proxy.#join(client, connect(target, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resets so large a share of the connections, chosen by `random`. */
  cut(share: number, random: () => number): void {
    for (const client of this.#clients) if (random() < share) client.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, upstream: Socket): void {
    this.#clients.add(client);
    client.pipe(upstream);
    // In their order, also when the delay ends before what it held back has gone.
    let last = Promise.resolve();
    let waiting = 0;
    upstream.on('data', (bytes: Buffer) => {
      if (this.delayMs === 0 && waiting === 0) return void client.write(bytes);
      const until = sleep(this.delayMs);
      waiting++;
      last = last
        .then(() => until)
        .then(() => {
          waiting--;
          if (!client.destroyed) client.write(bytes);
        });
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        this.#clients.delete(client);
        other.destroy();
      });
    }
  }
}

/** Stands before the ingest port, and refuses requests while it is told to. */
export class IngestProxy implements AsyncDisposable {
  /** The status of every answer; undefined: those of the server. */
  refuseWith: { status: number; code: string } | undefined;
  readonly #server;

  private constructor(target: number) {
    this.#server = createHttpServer((incoming, outgoing) => {
      if (this.refuseWith !== undefined) {
        const { status, code } = this.refuseWith;
        incoming.resume();
        outgoing.writeHead(status, { 'content-type': 'application/json' });
        return void outgoing.end(JSON.stringify({ error: { code, message: 'refused for calibration' } }));
      }
      const { method, url, headers } = incoming;
      const onward = request({ host: '127.0.0.1', port: target, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      outgoing.on('close', () => onward.destroy());
      incoming.pipe(onward);
    });
  }

  static async open(target: number): Promise<IngestProxy> {
    const proxy = new IngestProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
