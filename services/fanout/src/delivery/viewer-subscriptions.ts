import { TooManyNamesError } from '../durable/durable-cursors.ts';
import { DurableSubscriptions } from '../durable/durable-subscriptions.ts';
import { liveError, type LiveError } from '../errors.ts';
import type { SubscribeRequest } from '../protocol/client-message.ts';
import type { Priority } from '../protocol/priority.ts';
import { serverMessage } from '../protocol/server-message.ts';
import type { From } from '../protocol/subscribe-from.ts';
import type { LiveFilter } from '../stream/stream-kind.ts';
import type { ViewerStream } from '../stream/viewer-stream.ts';
import { streamOf } from '../visible/stream-of.ts';
import { Pauses } from './pauses.ts';
import { continueSubscription, startSubscription } from './start-subscription.ts';
import { Subscription } from './subscription.ts';
import type { ViewerActivity } from '../server/viewer-directory.ts';
import type { Viewer } from './viewer.ts';
import { ViewerMeter } from './viewer-meter.ts';
import type { ViewerContext } from './viewer-context.ts';

/** One viewer's subscriptions. */
export class ViewerSubscriptions {
  readonly #viewer: Viewer;
  readonly #context: ViewerContext;
  readonly #byId = new Map<string, Subscription>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #onError: (error: LiveError) => void;
  readonly #meter = new ViewerMeter();
  #durables: DurableSubscriptions | undefined;
  #pauses: Pauses | undefined;

  constructor(viewer: Viewer, context: ViewerContext, onError: (error: LiveError) => void) {
    this.#viewer = viewer;
    this.#context = context;
    this.#onError = onError;
  }

  /** Begins a subscription: `subscribed` and its events follow, or onError is called. */
  async subscribe(request: SubscribeRequest): Promise<void> {
    const { id } = request;
    if (this.#byId.has(id)) return this.#onError(liveError('duplicate-id', { id }));
    const { limits, imposed } = this.#context;
    if (this.#byId.size >= limits.subscriptions) {
      const message = `a connection may have ${limits.subscriptions} subscriptions`;
      return this.#onError(liveError('too-many-subscriptions', { id, message }));
    }
    const stream = streamOf(this.#context, request.stream);
    const compiled = stream.kind.compile(request.filter, limits.filter, imposed);
    if (!compiled.ok) return this.#onError({ ...compiled.error, id });
    this.#context.onSubscribe?.(request);

    const subscription = this.#subscriptionFor(stream, compiled.filter, request);
    subscription.ids.add(id);
    this.#byId.set(id, subscription);
    try {
      const from =
        request.durable === undefined ? request.from : await this.#durableStart(subscription, request);
      if (subscription.isClosed || from === undefined) return;
      await startSubscription(subscription, from, this.#context.eventLoop, {
        confirm: (cursor, resumed) => this.#confirm(subscription, id, cursor, resumed),
        fail: (code) => this.#fail(id, liveError(code, { id })),
      });
    } catch (error) {
      this.#unreadable(subscription, id, error);
    }
  }

  unsubscribe(id: string): void {
    if (!this.has(id)) this.#onError(liveError('unknown-id', { id }));
    else this.#remove(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Keeps the cursor of a durable subscription; `acked` follows once it is stored. Others need no acknowledgement. */
  ack(id: string, cursor: string): void {
    const subscription = this.#byId.get(id);
    if (subscription === undefined) return this.#onError(liveError('unknown-id', { id }));
    if (!this.#durables?.has(subscription)) return;
    if (!subscription.stream.cursors.hasSent(cursor)) return this.#onError(liveError('bad-cursor', { id }));
    this.#durables.move(subscription, cursor, () => {
      if (this.#byId.get(id) === subscription) subscription.tell(serverMessage.acked(id, cursor));
    });
  }

  /** Stops a subscription at its cursor: the log keeps later events. It continues with resume(), or by itself after `forMs`. */
  pause(id: string, forMs?: number): void {
    const found = this.#byId.get(id);
    if (found === undefined) return this.#onError(liveError('unknown-id', { id }));
    if (found.cursor === '')
      return this.#onError(liveError('bad-message', { id, message: 'the subscription has not begun' }));
    const subscription = this.#alone(id, found);
    subscription.pause();
    this.#pauses?.clear(id);
    const { cursor, channel } = subscription;
    subscription.tell(serverMessage.paused(id, channel.id, cursor));
    if (forMs === undefined) return;
    this.#pauses ??= new Pauses();
    this.#pauses.set(id, forMs, () => this.resume(id));
  }

  resume(id: string): void {
    const subscription = this.#byId.get(id);
    if (subscription === undefined) return this.#onError(liveError('unknown-id', { id }));
    if (!subscription.isPaused)
      return this.#onError(liveError('bad-message', { id, message: 'the subscription is not paused' }));
    this.#pauses?.clear(id);
    subscription.resume();
    const { cursor, channel } = subscription;
    subscription.tell(serverMessage.resumed(id, channel.id, cursor));
    this.#continue(subscription, cursor).catch((error: unknown) => this.#unreadable(subscription, id, error));
  }

  /** What operators see of the viewer's subscriptions; `sinceMs`: when it connected. */
  figures(nowMs: number, sinceMs: number): ViewerActivity {
    const { bytes, events, gaps, missed } = this.#meter;
    return {
      subscriptions: [...this.#subscriptions].map((subscription) => subscription.figures),
      queuedBytes: this.#viewer.queuedBytes,
      bytes,
      events,
      eventsPerSecond: Math.round(this.#meter.rate(nowMs, sinceMs) * 100) / 100,
      missed,
      gaps,
      ageMs: this.#meter.ages(nowMs) ?? null,
    };
  }

  moveCursors(): void {
    for (const subscription of this.#subscriptions) subscription.moveCursor();
  }

  close(): void {
    this.#durables?.close();
    this.#pauses?.close();
    for (const subscription of this.#subscriptions) subscription.close();
    this.#subscriptions.clear();
    this.#byId.clear();
  }

  /**
   * Equal subscriptions share a channel, and each of its messages comes once. One that needs history, or joins while the other is still
   * catching up, would mix two histories on it, so it gets its own channel.
   */
  #subscriptionFor(
    stream: ViewerStream,
    filter: LiveFilter,
    { from, priority, durable }: SubscribeRequest,
  ): Subscription {
    const equal = [...this.#subscriptions].filter(
      (other) => other.stream === stream && other.channel.filter.canonical === filter.canonical,
    );
    const shared =
      from.type === 'now' && durable === undefined
        ? equal.find((other) => this.#mayShare(other, priority))
        : undefined;
    if (shared !== undefined) return shared;
    return this.#newSubscription(stream, filter, priority, equal);
  }

  #mayShare(other: Subscription, priority: Priority): boolean {
    return other.isCurrent && other.priority === priority && !this.#durables?.has(other);
  }

  #newSubscription(
    stream: ViewerStream,
    filter: LiveFilter,
    priority: Priority,
    equal: readonly Subscription[],
  ): Subscription {
    const taken = new Set(equal.map((other) => other.channel.sibling));
    let sibling = 0;
    while (taken.has(sibling)) sibling++;
    const subscription = new Subscription({
      viewer: this.#viewer,
      stream,
      channel: stream.broadcast.hold(filter, sibling),
      priority,
      context: this.#context,
      meter: this.#meter,
      catchUp: (behind) => {
        this.#continue(behind, behind.cursor).catch((error: unknown) => {
          for (const id of [...behind.ids]) this.#unreadable(behind, id, error);
        });
      },
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Returns a subscription of the id alone, at the same cursor: other ids may share the present one. */
  #alone(id: string, shared: Subscription): Subscription {
    if (shared.ids.size === 1) return shared;
    const { stream, channel, priority } = shared;
    stream.broadcast.flush(channel, performance.now());
    const equal = [...this.#subscriptions].filter(
      (other) => other.stream === stream && other.channel.filter === channel.filter,
    );
    const subscription = this.#newSubscription(stream, channel.filter, priority, equal);
    subscription.startAt(shared.cursor);
    shared.ids.delete(id);
    subscription.ids.add(id);
    this.#byId.set(id, subscription);
    return subscription;
  }

  /** Returns where a durable subscription starts; undefined if it cannot start, which the viewer has been told. */
  async #durableStart(subscription: Subscription, request: SubscribeRequest): Promise<From | undefined> {
    const { id, durable = '', filter, from, stream } = request;
    const { durables, principal = '', logger } = this.#context;
    if (durables === undefined) return this.#failed(id, liveError('durable-unavailable', { id }));
    this.#durables ??= new DurableSubscriptions(durables, `${principal}/`);
    const onTaken = (): void => this.#fail(id, liveError('durable-taken', { id }));
    let known;
    try {
      known = await this.#durables.take(subscription, durable, filter, onTaken);
    } catch (error) {
      if (error instanceof TooManyNamesError)
        return this.#failed(id, liveError(error.code, { id, message: error.message }));
      logger.warn({ err: error }, 'the cursor of a durable viewer could not be read');
      return this.#failed(id, liveError('durable-unavailable', { id }));
    }
    if (known === undefined || from.type === 'cursor') return from;
    if (known.stream === stream) return { type: 'cursor', cursor: known.cursor };
    const message = `durable: this name belongs to the stream of ${known.stream}`;
    return this.#failed(id, liveError('bad-message', { id, message }));
  }

  #failed(id: string, error: LiveError): undefined {
    this.#fail(id, error);
  }

  #unreadable(subscription: Subscription, id: string, error: unknown): void {
    this.#context.logger.warn({ err: error }, 'the log could not be read for a viewer');
    if (!subscription.isClosed) this.#fail(id, liveError('log-unavailable', { id }));
  }

  #confirm(subscription: Subscription, id: string, cursor: string, resumed: boolean): void {
    subscription.confirm(id, cursor, resumed);
    this.#durables?.move(subscription, cursor);
  }

  #continue(subscription: Subscription, cursor: string): Promise<void> {
    return continueSubscription(subscription, cursor, this.#context.eventLoop);
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
    this.#pauses?.clear(id);
    if (subscription.ids.size > 0) return;
    this.#durables?.release(subscription);
    subscription.close();
    this.#subscriptions.delete(subscription);
  }
}
