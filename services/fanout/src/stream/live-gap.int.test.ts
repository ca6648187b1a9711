import { SqliteEventLog } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig } from '../testing/live-rig.ts';

test('live viewers are told, with exact bounds, of what left the log before the tier read it', async () => {
  const rig = await LiveRig.open();
  try {
    const tier = await rig.start();
    const all = await LiveClient.open(tier.port);
    const none = await LiveClient.open(tier.port);
    await all.subscribe();
    await none.subscribe({ filter: 'service:nobody' });
    await rig.append(Array.from({ length: 5 }, () => rig.event()));
    await all.texted(5);
    const cursor = all.messages.findLast(({ type }) => type === 'events')!.cursor;

    // In one turn of the event loop: the tier cannot read in between.
    const lost = Array.from({ length: 2000 }, () => rig.event());
    const kept = rig.event({ message: 'kept' });
    const other = new SqliteEventLog(rig.folder);
    const records = [...lost, kept].map((event) => ({
      partition: 0,
      key: null,
      value: rig.serde.encode('LogEvent', event),
    }));
    const appended = other.append(topics.events, records);
    const trimmed = other.trim(topics.events, Date.now() + 3_600_000);
    await Promise.all([appended, trimmed]);
    await other.close();

    await eventually('the event behind the gap', () => all.texts.at(-1) === 'kept');
    const after = (at: number): string => `v1.e.${rig.log.epoch}.${at.toString(36)}-0-0`;
    for (const client of [all, none]) {
      await eventually('a gap', () => client.messages.some(({ type }) => type === 'gap'));
      const gaps = client.messages.filter(({ type }) => type === 'gap');
      assert.deepEqual(
        gaps.map(({ from, to, missed, reason }) => ({ from, to, missed, reason })),
        [{ from: after(5), to: after(2005), missed: 2000, reason: 'retention' }],
      );
    }
    assert.equal(cursor, after(5));
    assert.equal(all.texts.length, 6);
    const metrics = await tier.telemetry.registry.metrics();
    assert.match(
      metrics,
      /logloom_log_gap_records_total\{consumer="live events",topic="logs.events",service="fanout"\} 2000/,
    );

    // They are live again, and who comes back with the cursor from before gets the same.
    await rig.append([rig.event({ message: 'live' })]);
    await eventually('what comes later', () => all.texts.at(-1) === 'live');
    const back = await LiveClient.open(tier.port);
    await back.subscribe({ from: { cursor: after(3) } });
    await eventually('what is left', () => back.texts.at(-1) === 'live');
    const gap = await back.first('gap');
    assert.deepEqual([gap.from, gap.to, gap.missed], [after(3), after(2005), 2002]);
  } finally {
    await rig.close();
  }
});

test('when a topic is recreated, viewers are sent away, come back, and learn that their cursor is void', async () => {
  const rig = await LiveRig.open();
  try {
    const tier = await rig.start({ retrySpreadMs: 50 });
    const viewer = await LiveClient.open(tier.port);
    await viewer.subscribe();
    await rig.append(Array.from({ length: 20 }, () => rig.event({ message: 'old' })));
    await viewer.texted(20);
    const [first] = viewer.events;
    const cursor = viewer.messages.findLast(({ type }) => type === 'events')!.cursor;

    const other = new SqliteEventLog(rig.folder);
    await other.deleteTopic(topics.events);
    await other.createTopics([{ name: topics.events, partitions: LiveRig.partitions }]);
    await other.close();
    // As many as before and more: by its offsets alone the cursor would be valid.
    await rig.append(Array.from({ length: 30 }, () => rig.event({ message: 'new' })));

    const goodbye = await viewer.first('goodbye');
    assert.equal(goodbye.reason, 'restart');
    assert.ok(!viewer.texts.includes('new'), 'events of the new topic at offsets of the old');
    await eventually('the tier open again', () => tier.tier.admission.refusal() === undefined);
    const back = await LiveClient.open(tier.port);
    assert.equal((await back.subscribe({ from: { cursor } })).resumed, false);
    const gap = await back.first('gap');
    assert.deepEqual([gap.from, gap.missed, gap.reason], [cursor, 0, 'epoch']);
    const whole = await LiveClient.open(tier.port);
    await whole.subscribe({ from: { tail: 100 } });
    await whole.texted(30);
    assert.ok(whole.texts.every((text) => text === 'new'));
    assert.notEqual(whole.events[0]!.id, first!.id);
    await rig.append([rig.event({ message: 'live' })]);
    await eventually('what comes later', () => back.texts.at(-1) === 'live');
  } finally {
    await rig.close();
  }
});

test('records that are damaged in the log are a gap with exact bounds for who reads the past', async () => {
  const rig = await LiveRig.open();
  try {
    for (const name of ['before', 'damaged', 'behind'])
      await rig.append(Array.from({ length: 40 }, () => rig.event({ message: name })));
    const db = new DatabaseSync(join(rig.folder, `${topics.events}.db`));
    db.exec('UPDATE p0 SET records = zeroblob(length(records)) WHERE "offset" = 40');
    db.close();
    const tier = await rig.start({ readBack: 10 });
    const viewer = await LiveClient.open(tier.port);
    const at = (offset: number): string => `v1.e.${rig.log.epoch}.${offset.toString(36)}-0-0`;
    await viewer.subscribe({ from: { cursor: at(0) } });
    await viewer.texted(80);
    assert.ok(!viewer.texts.includes('damaged'));
    const gaps = viewer.messages.filter(({ type }) => type === 'gap');
    assert.deepEqual(
      gaps.map(({ from, to, missed, reason }) => ({ from, to, missed, reason })),
      [{ from: at(40), to: at(80), missed: 40, reason: 'retention' }],
    );
  } finally {
    await rig.close();
  }
});

test('when the log loses its end, viewers are sent away, and who comes back gets what follows', async () => {
  const rig = await LiveRig.open();
  try {
    const tier = await rig.start({ retrySpreadMs: 50 });
    const viewer = await LiveClient.open(tier.port);
    await viewer.subscribe();
    await rig.append([rig.event({ message: 'kept' })]);
    const lost = Array.from({ length: 20 }, () => rig.event({ message: 'lost' }));
    await rig.append(lost);
    await viewer.texted(21);

    const db = new DatabaseSync(join(rig.folder, `${topics.events}.db`));
    db.exec('DELETE FROM p0 WHERE "offset" >= 1');
    db.close();
    assert.equal((await viewer.first('goodbye')).reason, 'restart');
    await eventually('the tier open again', () => tier.tier.admission.refusal() === undefined);
    const back = await LiveClient.open(tier.port);
    await back.subscribe({ from: { tail: 10 } });
    await rig.append(lost.slice(0, 3));
    await back.texted(4);
    assert.deepEqual(back.texts, ['kept', 'lost', 'lost', 'lost']);
  } finally {
    await rig.close();
  }
});
