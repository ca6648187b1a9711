import { createEmbeddedSchemaRegistry, createSerde } from '@logloom/schema-registry';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { LiveRig } from '../testing/live-rig.ts';

interface Head {
  type: string;
  channel: number;
  cursor: string;
  count: number;
}

test('who offers logloom.v1.avro gets batches as Avro, live and from a cursor, with the same cursors', async () => {
  const rig = await LiveRig.open();
  try {
    const tier = await rig.start();
    const serde = await createSerde(createEmbeddedSchemaRegistry());
    const batches: { head: Head; items: { partition: number; offset: number; value: unknown }[] }[] = [];
    let subscribed = '';
    const connect = (from: unknown): WebSocket => {
      const ws = new WebSocket(`ws://127.0.0.1:${tier.port}/live`, ['logloom.v1.avro', 'logloom.v1']);
      ws.on('open', () => ws.send(JSON.stringify({ type: 'subscribe', id: 'a', from })));
      ws.on('message', (data, isBinary) => {
        const bytes = data as Buffer;
        if (!isBinary) {
          const message = JSON.parse(bytes.toString()) as { type: string; cursor: string };
          if (message.type === 'subscribed') subscribed = message.cursor;
          return;
        }
        const end = bytes.indexOf('\n');
        const head = JSON.parse(bytes.toString('utf8', 0, end)) as Head;
        const items = [];
        for (let at = end + 1; at < bytes.length;) {
          const length = bytes.readUInt32BE(at);
          const record = bytes.subarray(at + 16, at + 16 + length);
          items.push({
            partition: bytes.readUInt32BE(at + 4),
            offset: Number(bytes.readBigUInt64BE(at + 8)),
            value: record,
          });
          at += 16 + length;
        }
        assert.equal(items.length, head.count);
        batches.push({ head, items });
      });
      return ws;
    };
    const received = async (count: number): Promise<unknown[]> => {
      const items = (): (typeof batches)[number]['items'] => batches.flatMap((batch) => batch.items);
      await eventually(`${count} records`, () => items().length >= count);
      const records = items().map(({ value }) => value as Buffer);
      await serde.load(records);
      return records.map((record) => serde.decode(record).value);
    };

    const first = connect('now');
    await eventually('subscribed', () => subscribed !== '');
    assert.equal(first.protocol, 'logloom.v1.avro');
    const events = Array.from({ length: 50 }, () => rig.event({ attributes: '{"a":{"b":1.50}}' }));
    await rig.append(events, ({ source }) => source.offset % 3);
    const live = (await received(50)) as typeof events;
    const inOrder = (list: typeof events): unknown[] =>
      [...list].sort((a, b) => a.source.offset - b.source.offset);
    assert.deepEqual(JSON.parse(JSON.stringify(inOrder(live))), events);
    const [placed] = batches.flatMap((batch) => batch.items);
    assert.equal(placed!.offset, 0);
    first.terminate();

    const { cursor } = batches[0]!.head;
    const seen = batches[0]!.head.count;
    batches.length = 0;
    const second = connect({ cursor });
    await rig.append([rig.event({ message: 'after' })]);
    const rest = (await received(51 - seen)) as typeof events;
    assert.equal(rest.at(-1)!.message, 'after');
    second.terminate();
  } finally {
    await rig.close();
  }
});
