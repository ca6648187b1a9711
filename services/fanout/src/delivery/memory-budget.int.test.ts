import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerMessage } from '../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../testing/live-rig.ts';
import { ViewerSubscriptions } from './viewer-subscriptions.ts';
import { SlowViewer } from '../testing/slow-viewer.ts';

const bound = 400_000;
const padding = JSON.stringify({ padding: 'x'.repeat(500) });

/** A viewer that comes back at its cursor whenever it was cut off, and adds up what it got. A quick one takes everything at once. */
class ReturningViewer {
  readonly #tier: RunningTier;
  readonly #onWrite: () => void;
  readonly #isQuick: boolean;
  readonly #received: ServerMessage[] = [];
  #viewer = new SlowViewer();
  #subscriptions: ViewerSubscriptions | undefined;
  cuts = 0;

  /** `onWrite` is called before each write. */
  constructor(tier: RunningTier, isQuick: boolean, onWrite: () => void = () => {}) {
    this.#tier = tier;
    this.#isQuick = isQuick;
    this.#onWrite = onWrite;
    this.#connect(undefined);
  }

  get queuedBytes(): number {
    return this.#viewer.queuedBytes;
  }

  /** Whether it was ever told that it is subscribed. */
  get isSubscribed(): boolean {
    return this.#messages.some(({ type }) => type === 'subscribed');
  }

  get ids(): string[] {
    return this.#messages.flatMap(({ events = [] }) => events).map(({ id }) => id);
  }

  get missed(): number {
    return this.#messages.reduce((sum, { missed = 0 }) => sum + missed, 0);
  }

  take(messages?: number): void {
    this.#viewer.take(messages);
    if (this.#viewer.isOpen) return;
    this.cuts++;
    this.#subscriptions!.close();
    this.#received.push(...this.#viewer.received);
    this.#connect(this.#cursor);
  }

  close(): void {
    this.#subscriptions!.close();
  }

  get #messages(): ServerMessage[] {
    return [...this.#received, ...this.#viewer.received];
  }

  /** The last message that it got; it may have been cut before it was told anything on its last connection. */
  get #cursor(): string | undefined {
    const last = this.#received.findLast(({ cursor, type }) => cursor !== undefined || type === 'gap');
    return last?.type === 'gap' ? last.to : last?.cursor;
  }

  #connect(cursor: string | undefined): void {
    const viewer = new SlowViewer();
    const write = viewer.write.bind(viewer);
    viewer.write = (bytes) => {
      this.#onWrite();
      write(bytes);
      if (this.#isQuick) viewer.take();
    };
    this.#viewer = viewer;
    this.#subscriptions = new ViewerSubscriptions(viewer, this.#tier.tier.contextFor({}), ({ message }) =>
      assert.fail(message),
    );
    void this.#subscriptions.subscribe({
      id: 'a',
      filter: 'service:web',
      stream: 'events',
      from: cursor === undefined ? { type: 'now' } : { type: 'cursor', cursor },
      priority: 'normal',
    });
  }
}

test('what waits for any number of stalled viewers never passes LIVE_TOTAL_BUFFER_BYTES, and their counts are exact', async () => {
  const rig = await LiveRig.open();
  try {
    const settings = { LIVE_FLUSH_MS: 1, LIVE_BUFFER_BYTES: 60_000, LIVE_TOTAL_BUFFER_BYTES: bound };
    const tier = await rig.start({}, settings);
    const stalled: ReturningViewer[] = [];
    let most = 0;
    const waiting = (): number => stalled.reduce((sum, viewer) => sum + viewer.queuedBytes, 0);
    const look = (): void => {
      most = Math.max(most, waiting());
    };
    for (let i = 0; i < 60; i++) stalled.push(new ReturningViewer(tier, false, look));
    const quick = new ReturningViewer(tier, true);
    await eventually('subscribed', () => stalled.every((viewer) => viewer.queuedBytes > 0));
    for (const viewer of stalled) viewer.take();
    // What is appended before is none of its events: subscriptions begin one after the other as the event loop has time.
    await eventually('the quick one is subscribed', () => quick.isSubscribed);
    let sent = 0;
    const emit = async (level: 'info' | 'error'): Promise<void> => {
      await rig.append(Array.from({ length: 10 }, () => rig.event({ level, attributes: padding })));
      sent += 10;
      await eventually('the quick one has all', () => quick.ids.length === sent);
      look();
    };
    const isComplete = (viewer: ReturningViewer): boolean => {
      viewer.take();
      return viewer.ids.length + viewer.missed >= sent;
    };
    const complete = (): Promise<void> =>
      eventually('all have all', () => stalled.filter((viewer) => !isComplete(viewer)).length === 0);

    // Errors, which are never left out, push the queues to the bound: some are cut and come back, some take a little.
    for (let round = 0; round < 60; round++) {
      await emit(round % 7 === 0 ? 'error' : 'info');
      for (const [i, viewer] of stalled.entries())
        if (i % 3 === 0) viewer.take(round % 5 === 0 ? 1 : 0);
        else if (round % 20 === 19) viewer.take(0);
      look();
    }
    assert.ok(
      stalled.some(({ cuts }) => cuts > 0),
      'nobody was cut',
    );
    await complete();
    // All are live again, and now none takes anything.
    for (let round = 0; round < 30; round++) await emit('info');
    assert.ok(most <= bound, `${most} bytes waited`);
    assert.ok(most > bound / 2, `only ${most} bytes waited: the bound was not reached`);
    assert.equal(quick.missed, 0);
    assert.equal(quick.cuts, 0, 'who keeps up is not cut');

    await complete();
    for (const viewer of stalled) {
      assert.equal(viewer.ids.length + viewer.missed, sent);
      assert.equal(new Set(viewer.ids).size, viewer.ids.length, 'nothing twice');
      viewer.close();
    }
    assert.ok(
      stalled.some(({ missed }) => missed > 0),
      'something was left out',
    );
    quick.close();
  } finally {
    await rig.close();
  }
});
