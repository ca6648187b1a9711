import { TestIssuer } from '@logloom/auth/test-issuer';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import { LiveClient } from '../../testing/live-client.ts';
import { LiveRig } from '../../testing/live-rig.ts';

/** A peer that sends this and then does nothing more, not even close its side. */
async function mute(port: number, text: string): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  let received = '';
  socket.on('data', (data: Buffer) => (received += data.toString()));
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, received: () => received };
}

const upgradeTo = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

describe('sockets of the live port', () => {
  let rig: LiveRig;
  const peers: Socket[] = [];
  before(async () => {
    rig = await LiveRig.open();
  });
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.destroy();
  });
  after(() => rig.close());

  const many = async (count: number, port: number, text: string) => {
    const opened = await Promise.all(Array.from({ length: count }, () => mute(port, text)));
    peers.push(...opened.map(({ socket }) => socket));
    return opened;
  };

  test('a refused upgrade gets its response and is destroyed, though its peer never closes', async () => {
    const tier = await rig.start({ allowedOrigins: [] });
    const refused = await many(100, tier.port, upgradeTo('/nowhere'));
    const bad = upgradeTo('/live').replace('Host:', 'Origin: https://elsewhere.example\r\nHost:');
    refused.push(...(await many(100, tier.port, bad)));
    // What ws itself refuses.
    refused.push(...(await many(20, tier.port, upgradeTo('/live').replace('Version: 13', 'Version: 7'))));
    await eventually('responses', () => refused.every(({ received }) => received().startsWith('HTTP/1.1 4')));
    await eventually('no socket is left', () => tier.sockets.size === 0);
    await tier.stop();
  });

  test('what never arrives whole is answered 408 and closed: headers, a body, nothing at all', async () => {
    const tier = await rig.start({}, {}, undefined, 500);
    const silent = await many(5, tier.port, '');
    const headers = await many(5, tier.port, 'GET /live/poll HTTP/1.1\r\nHost: localhost\r\n');
    const post = 'POST /live/poll HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    const body = await many(5, tier.port, `${post}Content-Length: 100\r\n\r\n{`);
    await eventually('all are closed', () => tier.sockets.size === 0);
    assert.ok(headers.every(({ received }) => received().includes('"code":"request-timeout"')));
    assert.ok([...silent, ...body].every(({ socket }) => socket.readableEnded || socket.destroyed));
    await tier.stop();
  });

  test('with every connection taken, the idle ones make room and viewers stay', async () => {
    const tier = await rig.start({ maxConnections: 30 });
    const watching = await LiveClient.open(tier.port);
    await watching.subscribe({});
    await many(40, tier.port, '');
    const post = 'POST /live/poll HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    await many(40, tier.port, `${post}Content-Length: 100\r\n\r\n{`);
    const late = await LiveClient.open(tier.port);
    await late.subscribe({});
    await rig.append([rig.event({ message: 'both see this' })]);
    await Promise.all([watching.texted(1), late.texted(1)]);
    assert.ok(tier.sockets.size <= 30);
    const metrics = await tier.telemetry.registry.metrics();
    assert.match(metrics, /^logloom_live_connections_cut_total\{.*\} [1-9]/m);
    watching.ws.terminate();
    late.ws.terminate();
    await tier.stop();
  });

  test('a port full of viewers refuses one more connection, and says so', async () => {
    const tier = await rig.start({ maxConnections: 3 });
    const viewers = await Promise.all([1, 2, 3].map(() => LiveClient.open(tier.port)));
    const [refused] = await many(1, tier.port, upgradeTo('/live'));
    await eventually('a response', () => refused!.received().includes('connections-exhausted'));
    assert.match(refused!.received(), /^HTTP\/1\.1 503 [^]*Retry-After: 5/);
    viewers[0]!.ws.terminate();
    await eventually('there is room', () => tier.sockets.size < 3);
    const late = await LiveClient.open(tier.port);
    for (const { ws } of [...viewers, late]) ws.terminate();
    await tier.stop();
  });

  test('a poll counts as a viewer', async () => {
    const tier = await rig.start({ maxViewers: 2 });
    const url = `http://127.0.0.1:${tier.port}/live/poll?wait=60000`;
    const gone = new AbortController();
    const polls = [1, 2].map(() => fetch(url, { signal: gone.signal }).catch(() => undefined));
    await eventually('two polls', () => tier.tier.viewers.of('poll').size === 2);
    const third = await fetch(url);
    assert.equal(third.status, 503);
    assert.equal(((await third.json()) as { error: { code: string } }).error.code, 'too-many-viewers');
    gone.abort();
    await Promise.all(polls);
    await eventually('both have left', () => tier.tier.viewers.of('poll').size === 0);
    await tier.stop();
  });

  test('a poll ends with its token', async () => {
    const issuer = await TestIssuer.create('key');
    const tier = await rig.start({}, {}, await issuer.authenticate(rig.folder));
    const headers = { authorization: `Bearer ${await issuer.sign({}, { seconds: 2 })}` };
    const poll = await fetch(`http://127.0.0.1:${tier.port}/live/poll?wait=60000`, { headers });
    assert.equal(poll.status, 401);
    assert.equal(((await poll.json()) as { error: { code: string } }).error.code, 'token-expired');
    await tier.stop();
  });
});
