import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunResult } from '../result.ts';
import { livePageHtml, liveStyle, liveUpdate, verdictHtml, type LiveUpdate } from './live-page-html.ts';
import type { RunProgress } from './run-progress.ts';

const flushMs = 1_000;
/** Nothing from elsewhere, and nothing inline. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const script = readFileSync(join(import.meta.dirname, 'page/live-page.js'), 'utf8');

/**
 * A page on the loopback address that shows a run while it goes on: the charts of the report, the latest second, what went wrong, and at the end
 * the verdict. It is made only while somebody looks.
 */
export class LivePage implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #watching = new Set<ServerResponse>();
  #last: string | undefined;
  #progress: RunProgress | undefined;

  private constructor(server: Server, page: string) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}/`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#respond(request, response, page),
    );
  }

  /** Listens on the port, or a free one for 0. Rejects with the system's error, such as EADDRINUSE. */
  static async open(port: number, about: { scenario: string; target: string }): Promise<LivePage> {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new LivePage(server, livePageHtml(about));
  }

  show(progress: RunProgress): void {
    this.#progress = progress;
    if (this.#watching.size > 0) this.#send(liveUpdate(progress));
  }

  /** Shows the verdict; whoever has the page open keeps it. `report` is a path or a URL. */
  end(result: RunResult, report: string): void {
    const { timeline, stages, faults, incidents, durationS } = result;
    const look = (): Pick<RunResult, 'timeline' | 'stages' | 'faults' | 'incidents'> => ({
      timeline,
      stages,
      faults,
      incidents,
    });
    const latest = timeline.at(-1);
    this.#progress = { phase: 'search', atS: durationS, durationS, latest, look };
    const update = liveUpdate(this.#progress);
    // The last second is one after the load.
    const [status, figures] = [`Ended after ${Math.round(durationS)} s.`, ''];
    this.#send({ ...update, status, figures, verdict: verdictHtml(result, report) }, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const flushed = [...this.#watching].map(
      (response) => new Promise<void>((resolve) => response.end(resolve).on('close', resolve)),
    );
    // A browser that does not read must not hold up the end of the program.
    await Promise.race([Promise.all(flushed), sleep(flushMs)]);
    this.#server.closeAllConnections();
    await closed;
  }

  #send(update: LiveUpdate, isLast = false): void {
    const { atS, durationS } = this.#progress!;
    const share = durationS > 0 ? Math.min(1, Math.max(0, atS / durationS)) : 0;
    this.#last = `event: update\ndata: ${JSON.stringify({ ...update, share })}\n\n`;
    for (const response of this.#watching) {
      // A browser that does not read is not to be a queue in this process.
      if (isLast || response.writableLength === 0) response.write(this.#last);
    }
  }

  #respond({ method, url, headers }: IncomingMessage, response: ServerResponse, page: string): void {
    response.setHeader('content-security-policy', contentSecurityPolicy);
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('cross-origin-resource-policy', 'same-origin');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('cache-control', 'no-store');
    // A page of another site whose name leads here must not read this one.
    if (!isLoopback(headers.host))
      return void response.writeHead(421).end('this is not the host that was asked for\n');
    if (method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    switch (url) {
      case '/':
        return send(response, 'text/html', page);
      case '/live-page.css':
        return send(response, 'text/css', liveStyle);
      case '/live-page.js':
        return send(response, 'text/javascript', script);
      case '/updates':
        return this.#watch(response);
      default:
        return void response.writeHead(404).end();
    }
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#watching.add(response);
    response.on('close', () => this.#watching.delete(response));
    if (this.#watching.size === 1 && this.#progress !== undefined) this.#send(liveUpdate(this.#progress));
    else if (this.#last !== undefined) response.write(this.#last);
    else response.flushHeaders();
  }
}

function isLoopback(host = ''): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(body);
}
