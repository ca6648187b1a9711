import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { LiveClient } from '../../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../../testing/live-rig.ts';

/** Bytes that came over the wire. */
function received(client: LiveClient): number {
  return (client.ws as unknown as { _socket: Socket })._socket.bytesRead;
}

describe('compression', () => {
  let rig: LiveRig;
  let tier: RunningTier;
  before(async () => {
    rig = await LiveRig.open();
    tier = await rig.start();
  });
  after(() => rig.close());

  test('a large batch is compressed for who offers it, plain for the others, and the same for both', async () => {
    const offers = [true, false, { serverMaxWindowBits: 9 }, { serverNoContextTakeover: true }, true];
    const clients = await Promise.all(
      offers.map((perMessageDeflate) => LiveClient.open(tier.port, { perMessageDeflate })),
    );
    for (const client of clients) await client.subscribe();
    const atStart = clients.map(received);
    const texts: string[] = [];
    // Small ones, which stay plain, between large ones; each has to be readable without those before it.
    for (let round = 0; round < 6; round++) {
      const size = round % 2 === 0 ? 40 : 1;
      const events = Array.from({ length: size }, (_, i) =>
        rig.event({ message: `round ${round}, ${i}: ${'the same again, '.repeat(40)}äöü€` }),
      );
      texts.push(...events.map(({ message }) => message));
      await rig.append(events);
      for (const client of clients) assert.deepEqual(await client.texted(texts.length), texts);
    }
    const [a, plain, small, b, c] = clients.map((client, i) => received(client) - atStart[i]!) as [
      number,
      number,
      number,
      number,
      number,
    ];
    for (const deflated of [a, b, c]) assert.ok(deflated * 4 < plain, `${deflated} of ${plain} bytes`);
    // A window smaller than the frame was made with: allowed to be negotiated, and answered in plain.
    assert.ok(small * 2 > plain);
    for (const client of clients) client.ws.close();
    await eventually('closed', () => clients.every(({ closeCode }) => closeCode !== undefined));
  });

  test('what a client compresses is read, message after message, in pieces too', async () => {
    const client = await LiveClient.open(tier.port, { perMessageDeflate: { threshold: 0 } });
    for (let n = 0; n < 20; n++) {
      const request = JSON.stringify({
        type: 'subscribe',
        id: `s${n}`,
        filter: `service:s${n}`.padEnd(2000),
      });
      client.ws.send(request.slice(0, 700), { fin: false });
      client.ws.send(request.slice(700));
    }
    for (let n = 0; n < 20; n++) await client.first('subscribed', ({ id }) => id === `s${n}`);
    await rig.append([rig.event({ service: 's7', message: 'seven' })]);
    assert.deepEqual(await client.texted(1), ['seven']);
    client.ws.terminate();
  });
});
