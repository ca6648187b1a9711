import { correlationDefaults } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { LiveClient, type ServerMessage } from '../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../testing/live-rig.ts';

describe('the live protocol', () => {
  let rig: LiveRig;
  let tier: RunningTier;
  before(async () => {
    rig = await LiveRig.open();
    tier = await rig.start({ maxViewers: 50 });
  });
  after(() => rig.close());

  test('says hello, takes a subscription and sends what matches', async () => {
    const client = await LiveClient.open(tier.port);
    assert.equal(client.ws.protocol, 'logloom.v1');
    assert.deepEqual(client.messages[0], {
      type: 'hello',
      protocol: 1,
      heartbeatMs: 15_000,
      maxPayload: 65_536,
    });
    const { cursor, resumed } = await client.subscribe({ filter: 'service:pay', from: 'now' });
    assert.equal(resumed, false);
    assert.match(cursor!, /^v1\.e\./);
    await rig.append([rig.event({ service: 'pay', message: 'one' }), rig.event({ message: 'not this' })]);
    await rig.append([rig.event({ service: 'pay', message: 'two', attributes: '{"a": {"b":1}}' })]);
    assert.deepEqual(await client.texted(2), ['one', 'two']);
    assert.deepEqual(client.events[1]!['attributes'], { a: { b: 1 } });
    client.ws.close();
  });

  test('works without a subprotocol', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${tier.port}/live`);
    await new Promise((resolve) => ws.once('message', resolve));
    assert.equal(ws.protocol, '');
    ws.terminate();
  });

  test('responds to what is no message with an error, and stays open', async () => {
    const client = await LiveClient.open(tier.port);
    const bad: [unknown, string, string?][] = [
      ['{', 'bad-message'],
      ['[]', 'bad-message'],
      ['{}', 'bad-message'],
      [{ type: 'dance' }, 'unknown-type'],
      [{ type: 'subscribe' }, 'bad-message'],
      [{ type: 'subscribe', id: 'f', filter: 5 }, 'bad-message', 'f'],
      [{ type: 'subscribe', id: 's', stream: 'rain' }, 'bad-message', 's'],
      [{ type: 'subscribe', id: 't', from: { tail: 0 } }, 'bad-message', 't'],
      [{ type: 'subscribe', id: 'l', from: { last: 'long' } }, 'bad-message', 'l'],
      [{ type: 'subscribe', id: 'c', from: { cursor: 'v1.e' } }, 'bad-cursor', 'c'],
      [{ type: 'subscribe', id: 'd', from: { cursor: `v1.c.${rig.log.epoch}.0-0-0` } }, 'bad-cursor', 'd'],
      [{ type: 'subscribe', id: 'e', from: { cursor: `v1.e.${rig.log.epoch}.0-0` } }, 'bad-cursor', 'e'],
      [{ type: 'subscribe', id: 'b', filter: 'level:(error' }, 'bad-filter', 'b'],
      [{ type: 'subscribe', id: 'k', filter: 'host:x', stream: 'correlations' }, 'bad-filter', 'k'],
      [{ type: 'unsubscribe', id: 'nobody' }, 'unknown-id', 'nobody'],
      [{ type: 'ack', id: 'nobody', cursor: 'x' }, 'unknown-id', 'nobody'],
      [{ type: 'ack', id: 'nobody' }, 'bad-message', 'nobody'],
      [`{"type":"ping","padding":"${'x'.repeat(65_536)}"}`, 'message-too-large'],
    ];
    for (const [message] of bad) client.send(message);
    client.ws.send(Buffer.from([1, 2, 3]));
    const errorsOf = (): ServerMessage[] => client.messages.filter(({ type }) => type === 'error');
    await eventually('a response to each', () => errorsOf().length === bad.length + 1);
    const errors = errorsOf();
    const key = ({ code, id }: { code?: string; id?: string }): string => `${code} ${id ?? ''}`;
    assert.deepEqual(
      errors.map(key).sort(),
      [...bad.map(([, code, id]) => key({ code, ...(id && { id }) })), 'binary-not-supported '].sort(),
    );
    assert.equal(typeof errors.find(({ code }) => code === 'bad-filter')!.position, 'number');
    await client.subscribe({ id: 'works' });
    client.send({ type: 'subscribe', id: 'works' });
    assert.equal((await client.first('error', ({ id }) => id === 'works')).code, 'duplicate-id');
    client.ws.close();
  });

  test('a message beyond the hard limit closes the connection with 1009', async () => {
    const client = await LiveClient.open(tier.port);
    client.ws.send('x'.repeat((1 << 20) + 1));
    await eventually('closed', () => client.closeCode !== undefined);
    assert.equal(client.closeCode, 1009);
  });

  test('responds to a ping at once, and limits subscriptions and messages', async () => {
    const client = await LiveClient.open(tier.port);
    client.send({ type: 'ping' });
    await client.first('heartbeat');
    for (let i = 0; i <= 100; i++) client.send({ type: 'subscribe', id: `s${i}`, filter: `service:s${i}` });
    const error = await client.first('error');
    assert.deepEqual([error.code, error.id], ['too-many-subscriptions', 's100']);
    for (let i = 0; i < 2000; i++) client.send({ type: 'ping' });
    await client.first('error', ({ code }) => code === 'rate-limited');
    client.ws.close();
  });

  test('a dropped ack or pause is told, and a connection that continues flooding is closed', async () => {
    const client = await LiveClient.open(tier.port);
    await client.subscribe({ id: 'a' });
    for (let i = 0; i < 300; i++) client.send({ type: 'ping' });
    client.send({ type: 'pause', id: 'a' });
    client.send({ type: 'ack', id: 'a', cursor: 'x' });
    for (const type of ['pause', 'ack'])
      await client.first('error', (e) => e.id === 'a' && e.message!.startsWith(`this ${type} was ignored`));
    const told = client.messages.filter(({ type }) => type === 'error').length;
    for (let i = 0; i < 5000; i++) client.send({ type: 'ping' });
    await client.first('error', ({ code }) => code === 'flooding');
    await eventually('it is closed', () => client.closeCode !== undefined);
    assert.equal(client.closeCode, 1008);
    assert.ok(client.messages.filter(({ type }) => type === 'error').length < told + 100, 'few responses');
    // Frames of the protocol below count as well.
    const pinging = await LiveClient.open(tier.port);
    for (let i = 0; i < 5000; i++) pinging.ws.ping();
    await eventually('it is closed', () => pinging.closeCode !== undefined);
    // By `ws` at once, where its replies pile up.
    assert.ok(pinging.closeCode === 1008 || pinging.closeCode === 1006);
  });

  test('one connection may subscribe twice to the same', async () => {
    const client = await LiveClient.open(tier.port);
    const a = await client.subscribe({ id: 'a', filter: 'service:twice' });
    const b = await client.subscribe({ id: 'b', filter: '(service:twice)' });
    const c = await client.subscribe({ id: 'c', filter: 'service:twice', from: { cursor: a.cursor! } });
    assert.equal(a.channel, b.channel);
    assert.notEqual(a.channel, c.channel);
    const channels = async (text: string, expected: number): Promise<(number | undefined)[]> => {
      await rig.append([rig.event({ service: 'twice', message: text })]);
      const seen = (): ServerMessage[] => client.messages.filter((m) => m.events?.[0]?.message === text);
      await eventually(text, () => seen().length >= expected);
      return seen()
        .map((m) => m.channel)
        .sort();
    };
    assert.deepEqual(await channels('both', 2), [a.channel, c.channel]);
    client.send({ type: 'unsubscribe', id: 'a' });
    assert.deepEqual(await channels('one left', 2), [a.channel, c.channel]);
    client.send({ type: 'unsubscribe', id: 'b' });
    // The response comes after b is gone; a heartbeat would not do, as one may come by itself.
    client.send({ type: 'unsubscribe', id: 'nobody' });
    await client.first('error');
    assert.deepEqual(await channels('none left', 1), [c.channel]);
    client.ws.close();
  });

  test('sends correlations', async () => {
    const client = await LiveClient.open(tier.port);
    await client.subscribe({
      stream: 'correlations',
      filter: 'service:pay AND level:>=error AND eventCount:>1',
    });
    const document = {
      id: '1-10',
      correlationId: 'r1',
      kind: 'requestId',
      revision: 1,
      closeReason: 'idle' as const,
      firstAt: 1000,
      lastAt: 3000,
      services: ['web', 'pay'],
      levels: { info: 1, error: 1 },
      rules: [],
      severity: null,
      partition: 1,
      firstOffset: 10,
      closeOffset: 20,
      closeSequence: 0,
      firstClosedAt: 5,
      memberDeltas: [0, 1],
      ...correlationDefaults,
    };
    const next = { ...document, closeOffset: 21 };
    await rig.appendCorrelations([
      document,
      document,
      { ...next, firstOffset: 11, services: ['web'] },
      { ...next, firstOffset: 12, closeSequence: 1 },
    ]);
    const epoch = await rig.log.epochOf('logs.events');
    const ids = (): string[] => client.messages.flatMap((m) => m.correlations ?? []).map(({ id }) => id);
    await eventually('two documents', () => ids().length >= 2);
    assert.deepEqual(ids(), [`${epoch}-1-10`, `${epoch}-1-12`]);
    client.ws.close();
  });

  test('refuses other paths, unknown parameters, foreign pages and too many', async () => {
    const refusal = (path: string, headers: Record<string, string> = {}): Promise<number | undefined> =>
      new Promise((resolve) => {
        const ws = new WebSocket(`ws://127.0.0.1:${tier.port}${path}`, { headers });
        ws.on('error', () => {});
        ws.on('open', () => (ws.terminate(), resolve(101)));
        ws.on('unexpected-response', (request, response) => {
          response.resume();
          request.destroy();
          resolve(response.statusCode);
        });
      });
    assert.equal(await refusal('/other'), 404);
    assert.equal(await refusal('/live', { origin: 'https://evil.example' }), 403);
    assert.equal(await refusal('/live', { origin: 'null' }), 403);
    assert.equal(await refusal('/live?filter=level:error'), 400, 'a subscription is a message');
    assert.equal(await refusal('/live?access_token=x', { origin: 'http://localhost:5173' }), 101);
    assert.equal(await refusal('/live', { origin: `http://127.0.0.1:${tier.port}` }), 101);
    const plain = await fetch(`http://127.0.0.1:${tier.port}/live`);
    assert.deepEqual([plain.status, plain.headers.get('upgrade')], [426, 'websocket']);
    assert.equal(((await plain.json()) as { error: { code: string } }).error.code, 'upgrade-required');
    const misspelled = await fetch(`http://127.0.0.1:${tier.port}/live?acces_token=x`);
    const { error } = (await misspelled.json()) as { error: { known: string[] } };
    assert.deepEqual([misspelled.status, error.known], [400, ['access_token']]);
    const clients: LiveClient[] = [];
    let status: number | undefined = 101;
    while (status === 101) {
      clients.push(await LiveClient.open(tier.port));
      status = await refusal('/live');
      assert.ok(clients.length <= 50);
    }
    assert.equal(status, 503);
    for (const client of clients) client.ws.terminate();
  });
});

describe('a tier of its own', () => {
  const withRig = (name: string, body: (rig: LiveRig) => Promise<void>): void =>
    void test(name, async () => {
      const rig = await LiveRig.open();
      try {
        await body(rig);
      } finally {
        await rig.close();
      }
    });

  withRig('history: tail, last and cursors, across a restart', async (rig) => {
    const numbers = Array.from({ length: 3000 }, (_, i) => i);
    const spread = (event: { source: { offset: number } }): number =>
      event.source.offset % LiveRig.partitions;
    const events = numbers.map((i) => rig.event({ service: i % 3 === 1 ? 'odd' : 'web', message: `${i}` }));
    for (let i = 0; i < events.length; i += 300) await rig.append(events.slice(i, i + 300), spread);
    let cursor: string | undefined;
    for (const ringItems of [5000, 100]) {
      const tier = await rig.start({ ringItems, readBack: ringItems });
      const client = await LiveClient.open(tier.port);
      await client.subscribe({ filter: 'service:odd', from: { tail: 40 } });
      await client.texted(40);
      assert.deepEqual(
        client.texts.map(Number).sort((a, b) => a - b),
        numbers.filter((i) => i % 3 === 1).slice(-40),
        'the last forty',
      );
      const all = await LiveClient.open(tier.port);
      await all.subscribe({ from: { last: '1h' } });
      await all.texted(3000);
      assert.deepEqual(
        all.texts.map(Number).sort((a, b) => a - b),
        numbers,
      );
      cursor ??= all.messages.find((m) => m.events !== undefined)!.cursor!;
      const seen = new Set(
        all.messages.find((m) => m.cursor === cursor && m.events)?.events?.map((e) => e.id),
      );
      if (seen.size > 0) {
        const rest = await LiveClient.open(tier.port);
        assert.equal((await rest.subscribe({ from: { cursor } })).resumed, true);
        await rest.texted(3000 - seen.size);
        assert.ok(rest.events.every((event) => !seen.has(event.id)));
      }
      await tier.stop();
    }
  });

  withRig('duplicates of a source are sent once, live, in history and after a restart', async (rig) => {
    const originals = Array.from({ length: 30 }, () => rig.event());
    const texts = originals.map((event) => event.message);
    await rig.append(originals.slice(0, 20));
    await rig.append(originals.slice(10, 25));
    let tier = await rig.start();
    const live = await LiveClient.open(tier.port);
    const start = await live.subscribe({ from: { tail: 1000 } });
    assert.deepEqual(await live.texted(25), texts.slice(0, 25));
    await rig.append(originals.slice(5));
    assert.deepEqual(await live.texted(30), texts);
    const cursors = live.messages.filter((m) => m.events !== undefined).map((m) => m.cursor!);
    await tier.stop();
    for (const ringItems of [1000, 1]) {
      tier = await rig.start({ ringItems, readBack: ringItems });
      for (const cursor of [start.cursor!, ...cursors]) {
        const before = live.messages
          .filter((m) => cursors.indexOf(m.cursor!) <= cursors.indexOf(cursor))
          .flatMap((m) => (cursor === start.cursor ? [] : (m.events ?? [])));
        const client = await LiveClient.open(tier.port);
        await client.subscribe({ from: { cursor } });
        const expected = texts.slice(before.length);
        const marker = rig.event();
        await rig.append([originals.at(-1)!, marker]);
        texts.push(marker.message);
        expected.push(marker.message);
        await client.texted(expected.length);
        assert.deepEqual(client.texts, expected);
      }
      await tier.stop();
    }
  });

  withRig(
    'a cursor of another log, or from beyond the end, leads to a gap and continues from now',
    async (rig) => {
      const tier = await rig.start();
      for (const cursor of ['v1.e.other.0-0-0', `v1.e.${rig.log.epoch}.zz-0-0`]) {
        const client = await LiveClient.open(tier.port);
        assert.equal((await client.subscribe({ from: { cursor } })).resumed, false);
        const gap = await client.first('gap');
        assert.deepEqual([gap.from, gap.missed, gap.reason], [cursor, 0, 'epoch']);
        const event = rig.event();
        await rig.append([event]);
        assert.deepEqual(await client.texted(1), [event.message]);
      }
    },
  );

  withRig('a cursor from an instance that read the partitions in another order', async (rig) => {
    const events = Array.from({ length: 30 }, () => rig.event());
    await rig.append(events, (event) => event.source.offset % 3);
    for (const ringItems of [100, 7]) {
      const tier = await rig.start({ ringItems });
      const client = await LiveClient.open(tier.port);
      await client.subscribe({ from: { cursor: `v1.e.${rig.log.epoch}.6-0-9` } });
      const marker = rig.event({ message: `marker ${ringItems}` });
      await rig.append([marker], () => 1);
      await eventually('the marker', () => client.texts.includes(marker.message));
      const offsets = [0, 1, 2].map((p) =>
        client.events.filter(({ partition }) => partition === p).map(({ offset }) => offset),
      );
      const end = ringItems === 100 ? 11 : 12;
      assert.deepEqual(offsets, [[6, 7, 8, 9], Array.from({ length: end }, (_, i) => i), [9]]);
      await tier.stop();
    }
  });

  withRig('trimmed records are announced', async (rig) => {
    await rig.append(Array.from({ length: 2000 }, () => rig.event()));
    const kept = rig.event();
    await rig.append([kept]);
    const tier = await rig.start({ readBack: 10 });
    await rig.log.trim('logs.events', Date.now() + 60_000);
    const client = await LiveClient.open(tier.port);
    const cursor = `v1.e.${rig.log.epoch}.5-0-0`;
    assert.equal((await client.subscribe({ from: { cursor } })).resumed, true);
    assert.deepEqual(await client.texted(1), [kept.message]);
    const gap = await client.first('gap');
    assert.deepEqual([gap.from, gap.missed, gap.reason], [cursor, 1995, 'retention']);
    assert.ok(client.messages.indexOf(gap) < client.messages.findIndex((m) => m.events !== undefined));
  });

  withRig('a viewer that stops reading is told exactly what it missed', async (rig) => {
    const tier = await rig.start({}, { LIVE_BUFFER_BYTES: 100_000, LIVE_FLUSH_MS: 5 });
    const slow = await LiveClient.open(tier.port);
    const quick = await LiveClient.open(tier.port);
    await slow.subscribe({ filter: 'service:pay' });
    await quick.subscribe({ filter: 'service:pay' });
    slow.ws.pause();
    let matching = 0;
    const missed = (): number => slow.messages.reduce((sum, m) => sum + (m.missed ?? 0), 0);
    for (let round = 0; round < 60; round++) {
      const events = Array.from({ length: 200 }, (_, i) =>
        rig.event({ service: i % 2 === 0 ? 'pay' : 'web', attributes: `{"padding":"${'x'.repeat(2000)}"}` }),
      );
      matching += 100;
      await rig.append(events);
      await quick.texted(matching);
    }
    slow.ws.resume();
    await eventually('a gap', () => slow.messages.some((m) => m.type === 'gap'));
    await eventually('received + missed = matching', () => slow.events.length + missed() === matching);
    await rig.append([rig.event({ service: 'pay', message: 'last' })]);
    await eventually('it continues', () => slow.texts.at(-1) === 'last');
    assert.ok(missed() > 0);
    const gap = await slow.first('gap');
    assert.equal(gap.reason, 'slow');
    const before = slow.messages.slice(0, slow.messages.indexOf(gap));
    assert.equal(gap.from, before.findLast((m) => m.cursor !== undefined)!.cursor);
    assert.equal(new Set(slow.texts).size, slow.texts.length);

    // What was missed is in the log, between the gap's cursors.
    const again = await LiveClient.open(tier.port);
    await again.subscribe({ filter: 'service:pay', from: { cursor: gap.from! } });
    await eventually('the rest from the log', () => again.texts.at(-1) === 'last');
    assert.equal(new Set([...slow.texts, ...again.texts]).size, matching + 1);
  });

  withRig('heartbeats come, quiet cursors move, dead peers are cut', async (rig) => {
    const tier = await rig.start({ heartbeatMs: 160 });
    const client = await LiveClient.open(tier.port);
    const { cursor } = await client.subscribe({ filter: 'service:nobody' });
    await rig.append([rig.event()]);
    const moved = await client.first('events');
    assert.deepEqual(moved.events, []);
    assert.notEqual(moved.cursor, cursor);
    await client.first('heartbeat');
    const dead = new LiveClient(tier.port, { autoPong: false });
    await eventually('cut', () => dead.closeCode !== undefined);
    assert.equal(dead.closeCode, 1006);
    assert.equal(client.closeCode, undefined);
  });

  withRig('drains: what is waiting is sent, then goodbye, then 1012', async (rig) => {
    const tier = await rig.start({ retrySpreadMs: 1000 }, { LIVE_FLUSH_MS: 10_000 });
    const clients = await Promise.all(Array.from({ length: 15 }, () => LiveClient.open(tier.port)));
    for (const client of clients) await client.subscribe();
    const stuck = await LiveClient.open(tier.port);
    stuck.ws.pause();
    await rig.append([rig.event({ message: 'waiting' })]);
    const tested = async (): Promise<boolean> =>
      /live_tests_total\{[^}]*stream="events"[^}]*\} 1\b/.test(await tier.telemetry.registry.metrics());
    for (;;) if (await tested()) break;
    await tier.stop();
    await eventually('all closed', () => clients.every((client) => client.closeCode !== undefined));
    for (const client of clients) {
      assert.deepEqual(client.texts, ['waiting']);
      // A heartbeat may come until the connection is closed.
      const { reason, retryAfterMs } = client.messages.findLast(({ type }) => type !== 'heartbeat')!;
      assert.equal(reason, 'shutdown');
      assert.ok(retryAfterMs! >= 0 && retryAfterMs! <= 1000);
      assert.equal(client.closeCode, 1012);
    }
    stuck.ws.terminate();
  });

  withRig(
    'events that come while it drains go to the viewers that are left, and it ends well',
    async (rig) => {
      const tier = await rig.start({ drainMs: 2000 });
      const clients = await Promise.all(Array.from({ length: 12 }, () => LiveClient.open(tier.port)));
      for (const client of clients) await client.subscribe();
      const stopping = tier.stop();
      await eventually('some have left', () => clients.some(({ closeCode }) => closeCode !== undefined));
      await rig.append([rig.event({ message: 'meanwhile' })]);
      await stopping;
      assert.deepEqual(clients.at(-1)!.texts, ['meanwhile']);
    },
  );

  withRig(
    'an operator empties it while it runs: viewers leave with all that came before, and resume elsewhere',
    async (rig) => {
      const [old, other] = [await rig.start(), await rig.start()];
      const clients = await Promise.all(Array.from({ length: 12 }, () => LiveClient.open(old.port)));
      for (const client of clients) await client.subscribe();
      await rig.append([rig.event({ message: 'before' })]);
      const drain = async (query: string): Promise<{ status: number; body: unknown }> => {
        const response = await fetch(`http://127.0.0.1:${old.port}/admin/drain${query}`, { method: 'POST' });
        return { status: response.status, body: await response.json() };
      };
      for (const query of ['?over=-1', '?over=3600001', '?seconds=1'])
        assert.equal((await drain(query)).status, 400, query);
      assert.equal(old.tier.isDraining, false);
      assert.deepEqual(await drain('?over=1000'), { status: 200, body: { state: 'draining', viewers: 12 } });
      // Not all at once: the first have left while others stay, and those still get what comes.
      await eventually('some have left', () => clients.some(({ closeCode }) => closeCode !== undefined));
      await rig.append([rig.event({ message: 'meanwhile' })]);
      const refused = await fetch(`http://127.0.0.1:${old.port}/live/sse`);
      assert.equal(refused.status, 503);
      assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'draining');
      await eventually('none is left', async () => {
        const { body } = await drain('');
        return (body as { viewers: number }).viewers === 0;
      });
      for (const client of clients) {
        await eventually('closed', () => client.closeCode !== undefined);
        assert.equal(client.closeCode, 1012);
        assert.equal(client.messages.findLast(({ type }) => type === 'goodbye')?.reason, 'restart');
        const { cursor } = client.messages.findLast((message) => message.cursor !== undefined)!;
        const resumed = await LiveClient.open(other.port);
        await resumed.subscribe({ from: { cursor: cursor! } });
        const seen = (): string[] => [...client.texts, ...resumed.texts];
        await eventually('both events once', () => seen().length === 2);
        assert.deepEqual(seen(), ['before', 'meanwhile']);
      }
    },
  );
});
