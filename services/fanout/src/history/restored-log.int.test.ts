import { SqliteEventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig } from '../testing/live-rig.ts';

const old = 1200;
const added = 300;

/** What a viewer of all events gets from there on, until it has `count`; and its gaps. */
async function watch(port: number, from: unknown, count: number) {
  const client = new LiveClient(port);
  client.ws.on('open', () => client.send({ type: 'subscribe', id: 'a', filter: '', from }));
  const got = (): string[] =>
    client.messages.flatMap(({ events = [] }) => events.map(({ message }) => message));
  await eventually(`${count} events`, () => got().length >= count);
  const gaps = client.messages.filter(({ type }) => type === 'gap');
  client.ws.terminate();
  return { texts: got(), gaps };
}

test('on a restored log viewers read across the offsets that were skipped: by tail, by cursor and live; duplicates stay known', async () => {
  const before = await LiveRig.open();
  const repeated = before.event({ message: 'repeated' });
  const events = Array.from({ length: old - 1 }, () => before.event());
  for (let at = 0; at < events.length; at += 200) await before.append(events.slice(at, at + 200));
  await before.append([repeated]);
  await before.log.close();
  await SqliteEventLog.skipRestored(before.folder);
  const rig = await LiveRig.open(before.folder);
  try {
    const all = [...events, repeated].map(({ message }) => message);
    const small = { ringItems: 64, ringBytes: 1 << 20 };
    const first = await rig.start(small);
    const tail = await watch(first.port, { tail: 900 }, 900);
    assert.deepEqual([tail.texts, tail.gaps], [all.slice(-900), []]);

    const cursorOf = async (...offsets: number[]): Promise<string> =>
      `v1.e.${await rig.log.epochOf(topics.events)}.${offsets.map((o) => o.toString(36)).join('-')}`;
    const live = watch(first.port, { cursor: await cursorOf(old, 0, 0) }, added);
    const news = Array.from({ length: added }, (_, i) => rig.event({ message: `new ${i}` }));
    for (const event of news) event.source = { ...event.source, offset: event.source.offset + 1e6 };
    await rig.append([repeated, ...news.slice(0, 100)]);
    await rig.append(news.slice(100));
    const newTexts = news.map(({ message }) => message);
    assert.deepEqual(await live, { texts: newTexts, gaps: [] });

    // One that had begun before, and one that begins now: the ring of both is too small for what is asked.
    for (const { port } of [first, await rig.start(small)]) {
      assert.deepEqual(await watch(port, { tail: 1000 }, 1000), {
        texts: [...all.slice(-700), ...newTexts],
        gaps: [],
      });
      const every = await watch(port, { cursor: await cursorOf(0, 0, 0) }, old + added);
      assert.deepEqual([every.texts, every.gaps], [[...all, ...newTexts], []]);
      const foreign = new LiveClient(port);
      const cursor = await cursorOf(old + 7, 0, 0);
      foreign.ws.on('open', () => foreign.send({ type: 'subscribe', id: 'a', filter: '', from: { cursor } }));
      await eventually('a gap', () => foreign.messages.some((m) => m.type === 'gap' && m.reason === 'epoch'));
      foreign.ws.terminate();
    }
  } finally {
    await rig.close();
  }
});
