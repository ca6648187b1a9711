import { openEmbeddedArchive } from '@logloom/archive';
import { placeEvent } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig } from '../testing/live-rig.ts';

test('what the log no longer has comes from the archive, and only what is nowhere is a gap', async () => {
  const rig = await LiveRig.open();
  try {
    const events = Array.from({ length: 3000 }, (_, i) =>
      rig.event({ message: `${i}`, correlationId: i % 100 === 7 ? 'req' : null, receivedAt: 1_000_000 + i }),
    );
    await rig.append(events, ({ source }) => source.offset % 3);
    const archive = openEmbeddedArchive(join(rig.folder, 'stores'));
    // Ten records in the middle of partition 0 are nowhere.
    const isNowhere = (i: number): boolean => i % 3 === 0 && i >= 300 && i < 330;
    const epoch = await rig.log.epochOf('logs.events');
    // The log before it was recreated had others there.
    await archive.put(
      events.map((_, i) =>
        placeEvent(rig.event({ message: 'of the old log' }), '0ldEpoch', i % 3, Math.floor(i / 3)),
      ),
    );
    await archive.put(
      events.flatMap((event, i) => (isNowhere(i) ? [] : placeEvent(event, epoch, i % 3, Math.floor(i / 3)))),
    );
    await rig.log.trim('logs.events', Date.now() + 60_000);
    const kept = rig.event({ message: 'kept', correlationId: 'req', receivedAt: Date.now() });
    await rig.append([kept]);
    const tier = await rig.start({ readBack: 1, ringItems: 10 });
    const cursor = `v1.e.${rig.log.epoch}.a-a-a`;
    const watch = async (fields: Record<string, unknown>): Promise<LiveClient> => {
      const client = await LiveClient.open(tier.port);
      await client.subscribe(fields);
      return client;
    };
    const ofReq = events.filter(({ correlationId }) => correlationId === 'req').map(({ message }) => message);
    const [all, req, last] = [
      await watch({ from: { cursor } }),
      await watch({ filter: 'correlationId:req', from: { cursor } }),
      await watch({ filter: 'correlationId:req', from: { last: '366d' } }),
    ];
    const live = rig.event({ message: 'live', correlationId: 'req' });
    await rig.append([live]);
    for (const client of [all, req, last])
      await eventually(`live; got ${client.texts.length}`, () => client.texts.at(-1) === 'live');

    const wanted = events.filter((_, i) => i >= 30 && !isNowhere(i)).map(({ message }) => message);
    assert.deepEqual([...all.texts].sort(), [...wanted, 'kept', 'live'].sort());
    assert.deepEqual(
      req.texts,
      [...ofReq.filter((message) => Number(message) >= 30 && !isNowhere(Number(message))), 'kept', 'live'],
      'in order of their arrival',
    );
    for (const client of [all, req]) {
      const gaps = client.messages.filter(({ type }) => type === 'gap');
      assert.deepEqual(
        gaps.map(({ missed, reason }) => [missed, reason]),
        [[10, 'retention']],
      );
    }
    // The events' times say that they came in long before.
    assert.deepEqual(last.texts, ['kept', 'live']);
    await archive.close();
  } finally {
    await rig.close();
  }
});
