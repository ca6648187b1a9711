import { levels, type Level } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ServerMessage } from '../testing/live-client.ts';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../testing/live-rig.ts';
import { ViewerSubscriptions } from './viewer-subscriptions.ts';
import { SlowViewer } from '../testing/slow-viewer.ts';

const padding = JSON.stringify({ padding: 'x'.repeat(500) });

/** The next pseudo-random number below `n`; the same run each time. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % n;
  };
}

function count<T>(items: readonly T[], numberOf: (item: T) => number | undefined): number {
  return items.reduce((sum, item) => sum + (numberOf(item) ?? 0), 0);
}

function countsOf(messages: readonly ServerMessage[]): Partial<Record<Level, number>> {
  const sums: Partial<Record<Level, number>> = {};
  for (const { counts = {} } of messages)
    for (const level of levels) if (counts[level]) sums[level] = (sums[level] ?? 0) + counts[level];
  return sums;
}

describe('degradation levels', () => {
  let rig: LiveRig;
  let tier: RunningTier;
  let reference: LiveClient;
  before(async () => {
    rig = await LiveRig.open();
    tier = await rig.start({}, { LIVE_BUFFER_BYTES: 60_000, LIVE_FLUSH_MS: 1 });
    reference = await LiveClient.open(tier.port);
    await reference.subscribe();
  });
  after(() => rig.close());

  /** Appends events and waits until the live viewers have received them. */
  const emit = async (levelsOf: readonly Level[], service: string): Promise<void> => {
    const events = levelsOf.map((level) => rig.event({ level, service, attributes: padding }));
    const seen = reference.events.length;
    await rig.append(events, ({ source }) => source.offset % LiveRig.partitions);
    await reference.texted(seen + events.length);
  };
  const watch = (service: string, from?: string): [SlowViewer, ViewerSubscriptions] => {
    const viewer = new SlowViewer();
    const subscriptions = new ViewerSubscriptions(viewer, tier.tier.contextFor({}), ({ message }) =>
      assert.fail(message),
    );
    void subscriptions.subscribe({
      id: 'a',
      filter: `service:${service}`,
      stream: 'events',
      from: from === undefined ? { type: 'now' } : { type: 'cursor', cursor: from },
      priority: 'normal',
    });
    return [viewer, subscriptions];
  };

  test('goes down and up again, and each count is exact', async () => {
    const pick = random(7);
    const [viewer, subscriptions] = watch('steps');
    const sent: Partial<Record<Level, number>> = {};
    for (let round = 0; round < 360; round++) {
      const some = Array.from({ length: 1 + pick(12) }, () => levels[pick(60) === 0 ? 4 : pick(4)]!);
      for (const level of some) sent[level] = (sent[level] ?? 0) + 1;
      await emit(some, 'steps');
      // A link that is now quick, now slow, now stopped.
      const phase = Math.floor(round / 20) % 6;
      viewer.take(phase === 0 ? Infinity : phase < 3 ? pick(3) : 0);
    }
    assert.equal(viewer.wasEvicted, false);
    await eventually(
      'back up',
      () => (viewer.take(), viewer.steps.at(-1) === 'full' && viewer.queuedBytes === 0),
    );

    const got = viewer.received.flatMap(({ events = [] }) => events);
    assert.equal(new Set(got.map(({ id }) => id)).size, got.length, 'nothing twice');
    const of = (level: Level): number => got.filter((event) => event['level'] === level).length;
    assert.equal(of('error'), sent.error, 'errors are exempt');
    const leftOut = Object.fromEntries(
      levels.flatMap((level) => ((sent[level] ?? 0) > of(level) ? [[level, sent[level]! - of(level)]] : [])),
    );
    assert.deepEqual(countsOf(viewer.received), leftOut);
    assert.equal(
      count(viewer.received, ({ missed }) => missed),
      Object.values(leftOut).reduce((a, b) => a + b),
    );
    const modes = viewer.received.filter(({ type }) => type === 'mode').map(({ mode }) => mode);
    for (const mode of ['sampled', 'counts', 'full']) assert.ok(modes.includes(mode), mode);
    const sampledAt = viewer.received.findIndex(({ mode }) => mode === 'sampled');
    const sampled = viewer.received.slice(
      sampledAt,
      viewer.received.findIndex(({ mode }) => mode === 'counts'),
    );
    assert.ok(
      sampled.some(({ events = [] }) => events.length > 0),
      'a sample came',
    );
    subscriptions.close();
  });

  test('a connection that breaks between any two messages resumes to exact counts', async () => {
    const pick = random(11);
    let [viewer, subscriptions] = watch('breaks');
    const all: ServerMessage[] = [];
    const reconnect = (): void => {
      subscriptions.close();
      all.push(...viewer.received);
      [viewer, subscriptions] = watch('breaks', viewer.cursor);
    };
    let sent = 0;
    for (let round = 0; round < 400; round++) {
      const some = Array.from({ length: 1 + pick(10) }, () => levels[pick(60) === 0 ? 4 : pick(4)]!);
      sent += some.length;
      await emit(some, 'breaks');
      viewer.take(pick(2));
      if (round % 40 !== 39 && !viewer.wasEvicted) continue;
      viewer.take(pick(60));
      reconnect();
      // The next cut may come before anything.
      await eventually('subscribed', () => (viewer.take(1), viewer.received.length > 0));
    }
    const total = (): number => {
      viewer.take();
      if (viewer.wasEvicted) reconnect();
      const messages = [...all, ...viewer.received];
      return count(messages, ({ events, missed }) => (events?.length ?? 0) + (missed ?? 0));
    };
    await eventually('received + missed = sent', () => total() === sent);
    all.push(...viewer.received);
    const ids = all.flatMap(({ events = [] }) => events).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'nothing twice');
    assert.ok(
      all.some(({ to }) => /\.[sc][\da-z-]+$/.test(to ?? '')),
      'gaps ahead of a part',
    );
    subscriptions.close();
  });

  test('who cannot take even the errors is told to come back, and has lost nothing', async () => {
    const [viewer, subscriptions] = watch('errors');
    let sent = 0;
    while (!viewer.wasEvicted) {
      await emit(
        Array.from({ length: 20 }, () => 'error' as const),
        'errors',
      );
      sent += 20;
      assert.ok(viewer.queuedBytes <= 60_000 + 20 * 1000, 'within the budget');
    }
    viewer.take();
    subscriptions.close();
    const [again, next] = watch('errors', viewer.cursor);
    const ids = (): string[] =>
      [...viewer.received, ...again.received].flatMap(({ events = [] }) => events).map(({ id }) => id);
    await eventually('the rest', () => (again.take(), ids().length >= sent));
    assert.equal(new Set(ids()).size, sent);
    assert.equal(
      count([...viewer.received, ...again.received], ({ missed }) => missed),
      0,
    );
    next.close();
  });

  test('low priority steps down before normal, and high after', async () => {
    const viewers = (['low', 'normal', 'high'] as const).map((priority) => {
      const viewer = new SlowViewer();
      const subscriptions = new ViewerSubscriptions(viewer, tier.tier.contextFor({}), () => {});
      void subscriptions.subscribe({
        id: 'a',
        filter: 'service:rank',
        stream: 'events',
        from: { type: 'now' },
        priority,
      });
      return viewer;
    });
    const downAt = viewers.map(() => 0);
    for (let round = 1; round < 200 && downAt.includes(0); round++) {
      await emit(['info', 'info'], 'rank');
      viewers.forEach((viewer, i) => (downAt[i] ||= viewer.steps.length > 0 ? round : 0));
    }
    assert.ok(downAt[0]! < downAt[1]! && downAt[1]! < downAt[2]!, `stepped down in rounds ${downAt.join()}`);
  });

  test('over the wire: goodbye and 1013', async () => {
    const client = await LiveClient.open(tier.port);
    await client.subscribe({ filter: 'service:wire AND level:error' });
    client.ws.pause();
    const evicted = async (): Promise<boolean> =>
      /live_evictions_total\{[^}]*stream="events"[^}]*\} [2-9]/.test(await tier.telemetry.registry.metrics());
    let sent = 0;
    for (; !(await evicted()); sent += 100)
      await emit(
        Array.from({ length: 100 }, () => 'error' as const),
        'wire',
      );
    client.ws.resume();
    await eventually('closed', () => client.closeCode !== undefined);
    assert.equal(client.closeCode, 1013);
    const { type, reason, retryAfterMs } = client.messages.at(-1)!;
    assert.deepEqual([type, reason], ['goodbye', 'slow']);
    assert.ok(retryAfterMs! > 0);
    const again = await LiveClient.open(tier.port);
    await again.subscribe({ filter: 'service:wire', from: { cursor: client.cursor! } });
    await eventually('all of them', () => client.events.length + again.events.length >= sent);
    assert.equal(new Set([...client.texts, ...again.texts]).size, sent);
    again.ws.close();
  });
});
