import { maxReadBytes } from '@logloom/event-log';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig } from '../testing/live-rig.ts';

test('the past of large events is read in pieces, forwards and backwards, and each comes once', async () => {
  const rig = await LiveRig.open();
  try {
    const text = 'x'.repeat(600_000);
    for (let n = 0; n < 36; n++)
      await rig.append([rig.event({ message: `${n} ${text}`, service: n % 2 === 0 ? 'even' : 'odd' })]);
    const read = rig.log.read.bind(rig.log);
    let largest = 0;
    rig.log.read = async (...query) => {
      const records = await read(...query);
      largest = Math.max(
        largest,
        records.reduce((sum, { value }) => sum + value.length, 0),
      );
      return records;
    };
    const tier = await rig.start({ ringItems: 3, ringBytes: 2_000_000, readBack: 3 });
    const numbersOf = async (fields: Record<string, unknown>, wanted: number[]): Promise<string> => {
      const client = await LiveClient.open(tier.port);
      client.ws.removeAllListeners('message');
      const numbers: number[] = [];
      let cursor = '';
      client.ws.on('message', (data) => {
        const message = JSON.parse((data as Buffer).toString()) as (typeof client.messages)[number];
        assert.ok(message.type !== 'gap' && message.type !== 'error', JSON.stringify(message));
        for (const event of message.events ?? []) numbers.push(parseInt(event.message));
        cursor = message.cursor ?? cursor;
      });
      client.send({ type: 'subscribe', id: 'a', ...fields });
      await eventually('the last one', () => numbers.at(-1) === wanted.at(-1));
      assert.deepEqual(numbers, wanted);
      client.ws.terminate();
      return cursor;
    };
    const all = Array.from({ length: 36 }, (_, n) => n);
    await numbersOf({ from: { last: '1h' } }, all);
    await numbersOf({ from: { tail: 17 } }, all.slice(19));
    await numbersOf({ from: { tail: 10 }, filter: 'service:even' }, all.filter((n) => n % 2 === 0).slice(8));
    assert.ok(largest > 0 && largest < maxReadBytes + 1_000_000, `${largest} bytes in one read`);
    await tier.stop();
  } finally {
    await rig.close();
  }
});
