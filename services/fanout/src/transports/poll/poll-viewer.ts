import type { DeliveryBatch } from '../../encoding/delivery-batch.ts';
import type { SubscribeRequest } from '../../protocol/client-message.ts';
import { liveError, type LiveError } from '../../errors.ts';
import type { ViewerContext } from '../../delivery/viewer-context.ts';
import type { ViewerActivity } from '../../server/viewer-directory.ts';
import { ViewerSubscriptions } from '../../delivery/viewer-subscriptions.ts';
import type { Viewer } from '../../delivery/viewer.ts';

/** A response takes no more once it has this many bytes. */
const maxResponseBytes = 1 << 20;
/** Events of one burst go into one response. */
const lingerMs = 10;

interface Gap {
  from: string;
  to: string;
  missed: number;
  reason: string;
}

export interface PollResponse {
  /** Where the next poll continues. */
  cursor: string;
  resumed: boolean;
  /** Events or correlations, by the stream's name. */
  [stream: string]: unknown;
  gaps: Gap[];
}

/**
 * A viewer for one poll: its response has what a live viewer would be sent from its cursor on, until something arrives or the time is up.
 */
export class PollViewer implements Viewer {
  readonly response: Promise<PollResponse | LiveError>;
  readonly #subscriptions: ViewerSubscriptions;
  readonly #request: SubscribeRequest;
  readonly #resolve: (response: PollResponse | LiveError) => void;
  readonly #items: unknown[] = [];
  readonly #gaps: Gap[] = [];
  #bytes = 0;
  #cursor = '';
  #resumed = false;
  #timer: NodeJS.Timeout;
  #isLingering = false;
  isOpen = true;

  constructor(context: ViewerContext, request: SubscribeRequest, waitMs: number) {
    const { promise, resolve } = Promise.withResolvers<PollResponse | LiveError>();
    this.response = promise;
    this.#resolve = resolve;
    this.#request = request;
    this.#timer = setTimeout(() => this.#respond(), waitMs);
    this.#subscriptions = new ViewerSubscriptions(this, context, (error) => this.#end(error));
    void this.#subscriptions.subscribe(request);
  }

  /** A full response takes no more: history waits, and live events are left for the next poll. */
  get queuedBytes(): number {
    return this.isOpen && this.#bytes >= maxResponseBytes ? Number.MAX_SAFE_INTEGER : 0;
  }

  encode(batch: DeliveryBatch): Buffer {
    return Buffer.from(batch.json);
  }

  write(bytes: Buffer): void {
    this.tell(bytes.toString());
  }

  tell(text: string): void {
    if (!this.isOpen) return;
    const message = JSON.parse(text) as { type: string; cursor: string; resumed: boolean } & Gap;
    this.#bytes += text.length;
    switch (message.type) {
      case 'subscribed':
        this.#cursor = message.cursor;
        this.#resumed = message.resumed;
        return;
      case 'gap': {
        const { from, to, missed, reason } = message;
        this.#gaps.push({ from, to, missed, reason });
        this.#cursor = to;
        return this.#linger();
      }
      case this.#request.stream:
        this.#items.push(...(message as unknown as Record<string, unknown[]>)[this.#request.stream]!);
        this.#cursor = message.cursor;
        if (this.queuedBytes > 0) this.#respond();
        else this.#linger();
    }
  }

  evict(): void {
    this.#respond();
  }

  terminate(): void {
    this.#respond();
  }

  /** The client is gone. */
  close(): void {
    this.#respond();
  }

  /** Its token has expired. Later events follow the cursor that its client has. */
  expire(): void {
    this.#end(liveError('token-expired'));
  }

  /** The response says all. */
  heartbeat(): void {}

  figures(nowMs: number, sinceMs: number): ViewerActivity {
    // The response is made at once when it is full.
    return { ...this.#subscriptions.figures(nowMs, sinceMs), queuedBytes: this.#bytes };
  }

  goodbye(): void {}

  #linger(): void {
    if (this.#isLingering) return;
    this.#isLingering = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#respond(), lingerMs);
  }

  #respond(): void {
    this.#end({
      cursor: this.#cursor,
      resumed: this.#resumed,
      [this.#request.stream]: this.#items,
      gaps: this.#gaps,
    });
  }

  #end(response: PollResponse | LiveError): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    clearTimeout(this.#timer);
    // Deferred: leaving a channel in the middle of a delivery finishes it first.
    setImmediate(() => this.#subscriptions.close());
    this.#resolve(response);
  }
}
