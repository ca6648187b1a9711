import type { Logger } from '@logloom/telemetry';
import { catchUp } from './catch-up.ts';
import type { StreamName, SubscribeRequest } from './client-message.ts';
import { liveError, type LiveError } from './errors.ts';
import { findTail } from './find-tail.ts';
import type { LiveStream } from './live-stream.ts';
import type { LiveFilter } from './stream-kind.ts';
import { Subscription, type DeliveryContext } from './subscription.ts';
import type { Turns } from './turns.ts';
import type { Viewer } from './viewer.ts';

export const maxSubscriptions = 100;

/** What all sessions of a live tier share. */
export interface SessionContext extends DeliveryContext {
  streams: Readonly<Record<StreamName, LiveStream>>;
  turns: Turns;
  logger: Logger;
}

/** One viewer's subscriptions. */
export class Session {
  readonly #viewer: Viewer;
  readonly #context: SessionContext;
  readonly #byId = new Map<string, Subscription>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #onError: (error: LiveError) => void;

  constructor(viewer: Viewer, context: SessionContext, onError: (error: LiveError) => void) {
    this.#viewer = viewer;
    this.#context = context;
    this.#onError = onError;
  }

  /** Answers with `subscribed` and what follows, or calls onError. */
  async subscribe(request: SubscribeRequest): Promise<void> {
    const { id, from } = request;
    if (this.#byId.has(id)) return this.#onError(liveError('duplicate-id', { id }));
    if (this.#byId.size >= maxSubscriptions)
      return this.#onError(liveError('too-many-subscriptions', { id }));
    const stream = this.#context.streams[request.stream];
    const compiled = stream.kind.compile(request.filter);
    if (!compiled.ok) return this.#onError({ ...compiled.error, id });

    const subscription = this.#subscriptionFor(stream, compiled.filter, request);
    subscription.ids.add(id);
    this.#byId.set(id, subscription);
    try {
      if (from.type === 'now') this.#startNow(subscription, id);
      else if (from.type === 'cursor') await this.#resume(subscription, id, from.cursor);
      else await this.#startBefore(subscription, id, from);
    } catch (error) {
      this.#context.logger.warn({ err: error }, 'the log could not be read for a viewer');
      if (!subscription.isClosed) this.#fail(id, liveError('log-unavailable', { id }));
    }
  }

  unsubscribe(id: string): void {
    if (!this.has(id)) this.#onError(liveError('unknown-id', { id }));
    else this.#remove(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  moveCursors(): void {
    for (const subscription of this.#subscriptions) subscription.moveCursor();
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions.clear();
    this.#byId.clear();
  }

  /**
   * Equal subscriptions share a channel, and each of its messages comes once. One that wants history, or joins while the other
   * has not got everything, would mix two histories on it: it gets a channel of its own.
   */
  #subscriptionFor(
    stream: LiveStream,
    filter: LiveFilter,
    { from, priority }: SubscribeRequest,
  ): Subscription {
    const equal = [...this.#subscriptions].filter(
      (other) => other.stream === stream && other.group.filter.canonical === filter.canonical,
    );
    const shared =
      from.type === 'now' ? equal.find((other) => other.isCurrent && other.priority === priority) : undefined;
    if (shared !== undefined) return shared;
    const taken = new Set(equal.map((other) => other.group.sibling));
    let sibling = 0;
    while (taken.has(sibling)) sibling++;
    const subscription = new Subscription({
      viewer: this.#viewer,
      stream,
      group: stream.broadcast.hold(filter, sibling),
      priority,
      context: this.#context,
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  #startNow(subscription: Subscription, id: string): void {
    const { stream } = subscription;
    if (subscription.ids.size === 1) subscription.goLive();
    else stream.broadcast.flush(subscription.group, performance.now());
    subscription.confirm(id, stream.cursor, false);
  }

  async #resume(subscription: Subscription, id: string, cursor: string): Promise<void> {
    const { stream } = subscription;
    const place = await stream.resolveCursor(cursor);
    if (subscription.isClosed) return;
    if (place === undefined) return this.#fail(id, liveError('bad-cursor', { id }));
    if (place === 'void') {
      this.#startNow(subscription, id);
      subscription.tellGap(cursor, stream.cursor, 0, 'epoch');
      return;
    }
    subscription.confirm(id, cursor, true);
    await catchUp(subscription, place.offsets, this.#context.turns, place.announced);
  }

  async #startBefore(
    subscription: Subscription,
    id: string,
    from: { type: 'tail'; count: number } | { type: 'last'; ms: number },
  ): Promise<void> {
    const { stream, group } = subscription;
    const { turns } = this.#context;
    const offsets =
      from.type === 'tail'
        ? await findTail(stream, group.filter, from.count, turns)
        : await stream.offsetsSince(Date.now() - from.ms);
    if (subscription.isClosed) return;
    subscription.confirm(id, stream.cursorAt(offsets), false);
    await catchUp(subscription, offsets, turns);
  }

  #fail(id: string, error: LiveError): void {
    this.#remove(id);
    this.#onError(error);
  }

  #remove(id: string): void {
    const subscription = this.#byId.get(id);
    if (subscription === undefined) return;
    this.#byId.delete(id);
    subscription.ids.delete(id);
    if (subscription.ids.size > 0) return;
    subscription.close();
    this.#subscriptions.delete(subscription);
  }
}
