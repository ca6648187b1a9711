import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sseEvent, type DeliveryBatch } from '../../encoding/delivery-batch.ts';
import type { SubscribeRequest } from '../../protocol/client-message.ts';
import { liveError, type LiveError } from '../../errors.ts';
import type { LiveCounts } from '../../server/live-counts.ts';
import { serverMessage } from '../../protocol/server-message.ts';
import type { ViewerContext } from '../../delivery/viewer-context.ts';
import type { ViewerActivity } from '../../server/viewer-directory.ts';
import { ViewerSubscriptions } from '../../delivery/viewer-subscriptions.ts';
import type { Viewer } from '../../delivery/viewer.ts';

/** A peer that reads nothing is cut off this long after the end. */
const closeMs = 30_000;
const heartbeatComment = Buffer.from(': heartbeat\n\n');

/**
 * A viewer on server-sent events (WHATWG HTML, section 9.2): one subscription, each message of the WebSocket protocol as one event
 * of the default type. The body ends with the connection, so that an event is the same bytes for every viewer, whatever HTTP
 * version a proxy speaks.
 */
export class SseViewer implements Viewer {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #subscriptions: ViewerSubscriptions;
  readonly #maxMessageBytes: number;
  readonly #counts: LiveCounts;

  /** `onClose` is called once, when the connection is gone. */
  constructor(response: ServerResponse, context: ViewerContext, onClose: () => void) {
    this.#response = response;
    this.#socket = response.socket!;
    this.#counts = context.counts;
    this.#maxMessageBytes = context.limits.messageBytes;
    this.#subscriptions = new ViewerSubscriptions(this, context, (error) => {
      this.#tellError(error);
      this.close();
    });
    response.on('close', () => {
      this.#subscriptions.close();
      onClose();
    });
    response.on('error', () => {});
    this.#socket.setNoDelay(true);
    this.#socket.setTimeout(0);
    response.shouldKeepAlive = false;
    response.removeHeader('transfer-encoding');
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    });
    response.flushHeaders();
  }

  start(heartbeatMs: number, request: SubscribeRequest): void {
    this.tell(serverMessage.hello(heartbeatMs, this.#maxMessageBytes));
    void this.#subscriptions.subscribe(request);
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#socket.destroyed;
  }

  get queuedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  encode(batch: DeliveryBatch): Buffer {
    return batch.sse;
  }

  write(bytes: Buffer): void {
    if (this.isOpen) this.#socket.write(bytes);
  }

  tell(message: string, cursor?: string): void {
    this.write(Buffer.from(sseEvent(message, cursor)));
  }

  /** TCP detects a dead peer, because it cannot deliver the comment. */
  heartbeat(): void {
    this.#subscriptions.moveCursors();
    this.write(heartbeatComment);
  }

  figures(nowMs: number, sinceMs: number): ViewerActivity {
    return this.#subscriptions.figures(nowMs, sinceMs);
  }

  goodbye(reason: string, retryAfterMs: number): void {
    this.tell(serverMessage.goodbye(reason, retryAfterMs));
    // EventSource reconnects by itself; this sets the delay.
    this.write(Buffer.from(`retry: ${retryAfterMs}\n\n`));
  }

  close(): void {
    this.#subscriptions.close();
    this.#socket.setTimeout(closeMs, () => this.#socket.destroy());
    this.#response.end();
  }

  evict(retryAfterMs: number): void {
    this.goodbye('slow', retryAfterMs);
    this.close();
  }

  /** Ends because its token has expired. */
  expire(): void {
    this.#tellError(liveError('token-expired'));
    this.close();
  }

  terminate(): void {
    this.#socket.destroy();
  }

  #tellError(error: LiveError): void {
    this.#counts.told(error.code);
    this.tell(serverMessage.error(error));
  }
}
