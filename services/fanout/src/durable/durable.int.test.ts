import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../testing/live-rig.ts';

describe('durable subscriptions', () => {
  let rig: LiveRig;
  let tier: RunningTier;
  before(async () => {
    rig = await LiveRig.open();
    tier = await rig.start();
  });
  after(() => rig.close());
  const emit = (service: string, count: number): Promise<void> =>
    rig.append(Array.from({ length: count }, () => rig.event({ service })));
  const subscribe = async (
    port: number,
    fields: Record<string, unknown>,
  ): Promise<{ client: LiveClient; resumed: boolean | undefined }> => {
    const client = await LiveClient.open(port);
    const { resumed } = await client.subscribe(fields);
    return { client, resumed };
  };

  test('continues at what was acknowledged: after a break, at another process, and when nothing was', async () => {
    const fields = { filter: 'service:orders', durable: 'billing' };
    const first = await subscribe(tier.port, fields);
    assert.equal(first.resumed, false);
    await eventually('subscribed', () => first.client.messages.length > 1);
    // The start of a new name is kept before anything is acknowledged.
    await tier.tier.contextFor({}).durables!.save();
    await emit('orders', 3);
    await first.client.texted(3);
    first.client.ws.terminate();

    const second = await subscribe(tier.port, fields);
    assert.equal(second.resumed, true);
    const texts = await second.client.texted(3);
    assert.deepEqual(texts, first.client.texts);
    const cursor = second.client.cursor!;
    second.client.send({ type: 'ack', id: 'a', cursor });
    assert.equal((await second.client.first('acked')).cursor, cursor);
    await emit('orders', 2);
    await second.client.texted(5);

    // Another process that knows nothing but the store; the first is as good as killed.
    const other = await rig.start();
    second.client.ws.terminate();
    const third = await subscribe(other.port, { ...fields, from: 'now' });
    assert.equal(third.resumed, true);
    await emit('orders', 1);
    await third.client.texted(3);
    assert.equal(third.client.texts.length, 3);
    assert.deepEqual(third.client.texts.slice(0, 2), second.client.texts.slice(3));
    third.client.ws.terminate();
    await other.stop();
  });

  test('names are limited in number and bytes, told so, and listed in pages', async () => {
    const small = await rig.start({ durableNames: 30, durableBytes: 4 * 100_000 });
    const client = await LiveClient.open(small.port);
    const url = `http://127.0.0.1:${small.port}/live/durable`;
    const names = async (): Promise<string[]> => {
      const found: string[] = [];
      for (let cursor = ''; ;) {
        const page = (await (await fetch(`${url}?limit=7&cursor=${cursor}`)).json()) as {
          durable: { name: string }[];
          next?: string;
        };
        assert.ok(page.durable.length <= 7);
        found.push(...page.durable.map(({ name }) => name));
        if (page.next === undefined) return found.sort();
        cursor = page.next;
      }
    };
    const before = await names();
    let taken = 0;
    for (let i = 0; i < 31; i++) client.send({ type: 'subscribe', id: `${i}`, durable: `many-${i}` });
    const refusal = await client.first('error');
    assert.equal(refusal.code, 'too-many-durables');
    await eventually(
      'a response to each',
      () => client.messages.filter(({ type }) => type === 'subscribed' || type === 'error').length === 31,
    );
    taken = client.messages.filter(({ type }) => type === 'subscribed').length;
    assert.equal(taken, 30 - before.length);
    assert.equal((await names()).length, 30);
    // A name that is there is no new one.
    const again = await LiveClient.open(small.port);
    assert.equal((await again.subscribe({ id: 'x', durable: 'many-0' } as object)).type, 'subscribed');
    for (const name of (await names()).filter((each) => each.startsWith('many-')))
      assert.equal((await fetch(`${url}/${name}`, { method: 'DELETE' })).status, 204);
    // Large filters take the bytes.
    const large = await LiveClient.open(small.port);
    const filter = `service:${'x'.repeat(3_900)}`;
    for (let i = 0; i < 29; i++)
      large.send({ type: 'subscribe', id: `${i}`, filter: `${filter}${i}`, durable: `large-${i}` });
    const full = await large.first('error');
    assert.equal(full.code, 'too-many-durables');
    assert.match(full.message!, /room/);
    for (const { ws } of [client, again, large]) ws.terminate();
    for (const name of await names()) await fetch(`${url}/${name}`, { method: 'DELETE' });
    await small.stop();
  });

  test('a cursor that the client sends wins, and a text that is no cursor is refused', async () => {
    const fields = { filter: 'service:given', durable: 'given' };
    const { client } = await subscribe(tier.port, fields);
    const start = client.messages.find(({ type }) => type === 'subscribed')!.cursor!;
    await emit('given', 2);
    await client.texted(2);
    client.send({ type: 'ack', id: 'a', cursor: client.cursor });
    await client.first('acked');
    for (const cursor of ['nonsense', `v1.e.${rig.log.epoch}.zz-0-0`, `v1.c.${rig.log.epoch}.0-0-0`])
      client.send({ type: 'ack', id: 'a', cursor });
    await eventually(
      'refused',
      () => client.messages.filter(({ code }) => code === 'bad-cursor').length === 3,
    );
    const again = await subscribe(tier.port, { ...fields, from: { cursor: start } });
    await again.client.texted(2);
    // The name went to the new one.
    assert.equal((await client.first('error', ({ code }) => code === 'durable-taken')).id, 'a');
    again.client.send({ type: 'subscribe', id: 'c', durable: 'given', stream: 'correlations' });
    const { message } = await again.client.first('error', ({ id }) => id === 'c');
    assert.match(message!, /stream of events/);
    again.client.ws.close();
    client.ws.close();
  });

  test('names are listed and deleted', async () => {
    const url = `http://127.0.0.1:${tier.port}/live/durable`;
    const { client } = await subscribe(tier.port, { filter: 'service:listed', durable: 'a/b c' });
    const list = async (): Promise<{ name: string; filter: string }[]> =>
      ((await (await fetch(url)).json()) as { durable: { name: string; filter: string }[] }).durable;
    assert.equal((await list()).find(({ name }) => name === 'a/b c')?.filter, 'service:listed');
    const remove = async (): Promise<number> =>
      (await fetch(`${url}/${encodeURIComponent('a/b c')}`, { method: 'DELETE' })).status;
    assert.equal(await remove(), 204);
    assert.equal((await client.first('error')).code, 'durable-taken');
    assert.equal(await remove(), 404);
    assert.equal(
      (await list()).some(({ name }) => name === 'a/b c'),
      false,
    );
    client.ws.close();
  });

  test('a pause leaves what comes to the log, also for one of two that share a channel', async () => {
    const { client } = await subscribe(tier.port, { filter: 'service:paused' });
    const b = await client.subscribe({ id: 'b', filter: 'service:paused' });
    client.send({ type: 'pause', id: 'a' });
    const paused = await client.first('paused');
    assert.notEqual(paused.channel, b.channel);
    await emit('paused', 5);
    await client.texted(5);
    client.send({ type: 'resume', id: 'a' });
    await client.texted(10);
    const of = (channel: number | undefined): number =>
      client.messages.reduce((sum, m) => sum + (m.channel === channel ? (m.events?.length ?? 0) : 0), 0);
    assert.deepEqual([of(b.channel), of(paused.channel)], [5, 5]);

    client.send({ type: 'pause', id: 'a', until: new Date(Date.now() + 50).toISOString() });
    await eventually(
      'by itself',
      () => client.messages.filter(({ type }) => type === 'resumed').length === 2,
    );
    await emit('paused', 1);
    await client.texted(12);
    for (const wrong of [{ until: 'tomorrow' }, { forMs: 'x' }, { forMs: 1, until: 'x' }, { forMs: 2 ** 40 }])
      client.send({ type: 'pause', id: 'a', ...wrong });
    client.send({ type: 'resume', id: 'a' });
    client.send({ type: 'pause', id: 'nobody' });
    const codes = (): (string | undefined)[] => client.messages.flatMap(({ code }) => code ?? []);
    await eventually('six errors', () => codes().length === 6);
    assert.deepEqual(codes(), [...Array.from({ length: 5 }, () => 'bad-message'), 'unknown-id']);
    client.ws.close();
  });
});

test('a poll waits for what matches, and the next one misses nothing', async () => {
  const rig = await LiveRig.open();
  try {
    const tier = await rig.start();
    interface PollBody {
      cursor: string;
      resumed: boolean;
      events: { message: string }[];
      gaps: unknown[];
    }
    const poll = async (query: string): Promise<PollBody> =>
      (await (await fetch(`http://127.0.0.1:${tier.port}/live/poll?${query}`)).json()) as PollBody;
    const empty = await poll('filter=service:pay&wait=20');
    assert.deepEqual([empty.events, empty.gaps, empty.resumed], [[], [], false]);
    const texts: string[] = [];
    const sent = Array.from({ length: 3000 }, (_, i) => rig.event({ service: 'pay', message: `${i}` }));
    const feeding = (async () => {
      for (let i = 0; i < sent.length; i += 250) await rig.append(sent.slice(i, i + 250));
    })();
    let { cursor } = empty;
    let polls = 0;
    for (; texts.length < sent.length; polls++) {
      const body = await poll(`filter=service:pay&from=${cursor}&wait=10000`);
      assert.equal(body.resumed, true);
      texts.push(...body.events.map(({ message }) => message));
      ({ cursor } = body);
    }
    await feeding;
    assert.deepEqual(
      texts,
      sent.map(({ message }) => message),
    );
    const status = async (query: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${tier.port}/live/poll?${query}`)).status;
    assert.deepEqual(
      await Promise.all(['filter=level:(', 'wait=x', 'from=nonsense', 'stream=rain'].map(status)),
      [400, 400, 400, 400],
    );
    const waiting = poll(`filter=service:pay&from=${cursor}&wait=60000`);
    await eventually('a poll that waits', () => tier.tier.viewers.of('poll').size === 1);
    await tier.stop();
    assert.deepEqual((await waiting).events, []);
  } finally {
    await rig.close();
  }
});
