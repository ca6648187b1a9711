import type { LogEvent } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig } from '../testing/live-rig.ts';

test('a retry after a restart and 45,000 other events: live, from an old cursor and in a tail, each event once', async () => {
  const rig = await LiveRig.open();
  try {
    const numbered = Array.from({ length: 20 }, (_, offset) =>
      rig.event({
        source: { kind: 'producer', topic: 'p', partition: 0, offset, index: 1 },
        service: 'numbered',
        message: `n${offset}`,
      }),
    );
    const repeat = (events: readonly LogEvent[]): LogEvent[] => structuredClone(events) as LogEvent[];
    await rig.append(numbered);
    const before = await rig.start();
    await before.stop();
    for (let i = 0; i < 9; i++) await rig.append(Array.from({ length: 5000 }, () => rig.event()));
    const { port } = await rig.start();
    const watch = async (from: unknown): Promise<LiveClient> => {
      const client = await LiveClient.open(port);
      client.send({ type: 'subscribe', id: 'a', filter: 'service:numbered', from });
      await eventually('subscribed', () => client.messages.some(({ type }) => type === 'subscribed'));
      return client;
    };
    const seen = (client: LiveClient): string[] =>
      client.messages.flatMap(({ events = [] }) => events.map(({ message }) => message));
    const live = await watch('now');
    // In another order, and some of them twice.
    await rig.append(repeat([...numbered.toReversed(), ...numbered.slice(5, 9)]));
    await rig.append([rig.event({ service: 'numbered', message: 'the last' })]);
    await eventually('the last event', () => seen(live).includes('the last'));
    assert.deepEqual(seen(live), ['the last']);

    const each = [...numbered.map(({ message }) => message), 'the last'];
    for (const from of [{ cursor: `v1.e.${rig.log.epoch}.0-0-0` }, { tail: 21 }]) {
      const client = await watch(from);
      await eventually(JSON.stringify(from), () => seen(client).includes('the last'));
      assert.deepEqual(seen(client), each, JSON.stringify(from));
      client.ws.close();
    }

    // A crowd from as many places, of which none was read before.
    const crowd = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        watch({ cursor: `v1.e.${rig.log.epoch}.${(44_000 - i * 701).toString(36)}-0-0` }),
      ),
    );
    for (const client of crowd) {
      await eventually('the last event', () => seen(client).includes('the last'));
      assert.deepEqual(seen(client), ['the last']);
      client.ws.close();
    }
    live.ws.close();
  } finally {
    await rig.close();
  }
});
