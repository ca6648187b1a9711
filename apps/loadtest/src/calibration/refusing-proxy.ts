import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before the ingest port, and refuses requests while it is told to. */
export class RefusingProxy implements AsyncDisposable {
  /** The status of every answer; undefined: those of the server. */
  refuseWith: { status: number; code: string } | undefined;
  readonly #server;

  private constructor(target: number) {
    this.#server = createServer((incoming, outgoing) => {
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

  static async open(target: number): Promise<RefusingProxy> {
    const proxy = new RefusingProxy(target);
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
