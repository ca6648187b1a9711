import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** Takes alerts over HTTP, and refuses the first post of every third one: that must be posted again. */
export class WebhookReceiver implements Disposable {
  readonly #server: Server;
  /** How often each alert was posted, by id. */
  readonly posted = new Map<string, number>();
  /** Alerts that were answered with 200. */
  readonly taken = new Set<string>();

  private constructor() {
    this.#server = createServer((request, response) => {
      json(request).then(
        (body) => {
          const { id } = body as { id: string };
          const times = (this.posted.get(id) ?? 0) + 1;
          this.posted.set(id, times);
          const isRefused = times === 1 && this.posted.size % 3 === 0;
          if (!isRefused) this.taken.add(id);
          response.writeHead(isRefused ? 503 : 200).end();
        },
        // The process that posts was killed in the middle of it.
        () => response.destroy(),
      );
    });
  }

  static async open(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await once(receiver.#server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
