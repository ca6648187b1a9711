import { authenticateNobody, type Authenticate } from '@logloom/auth';
import { canaryKind, type LogEvent } from '@logloom/schemas';
import { correlationDocument, eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig } from '../testing/live-rig.ts';

const authenticate: Authenticate = async (request) =>
  request.headers.authorization === 'Bearer canary'
    ? { ok: true, principal: { subject: 'canary', name: 'canary', isCanary: true } }
    : authenticateNobody(request);
const asCanary = { headers: { authorization: 'Bearer canary' } };

const rig = await LiveRig.open();
after(() => rig.close());

function event(message: string): LogEvent {
  const isCanary = message.startsWith('canary');
  return rig.event({
    message,
    level: 'error',
    ...(isCanary ? { service: 'logloom-canary', correlationId: message, correlationKind: canaryKind } : {}),
  });
}

function messagesOf(client: LiveClient): string[] {
  return client.messages.flatMap(({ events = [] }) => events.map(({ message }) => message));
}

test('a canary gets its own events and nobody else does: live, from a cursor in memory and in the log, and as the last ones', async () => {
  const running = await rig.start({}, {}, authenticate);
  const user = await LiveClient.open(running.port);
  const canary = await LiveClient.open(running.port, asCanary);
  for (const client of [user, canary]) client.ws.send('{"type":"subscribe","id":"a"}');
  const { cursor } = await user.first('subscribed');
  await canary.first('subscribed');

  await rig.append(['canary 0', 'user 0', 'canary 1', 'user 1'].map(event));
  await eventually('all live', () => messagesOf(user).length === 2 && messagesOf(canary).length === 2);

  const resume = async (port: number): Promise<void> => {
    const from = { type: 'subscribe', id: 'b', from: { cursor } };
    const again = await LiveClient.open(port);
    const canaryAgain = await LiveClient.open(port, asCanary);
    for (const client of [again, canaryAgain]) client.ws.send(JSON.stringify(from));
    const last = await LiveClient.open(port);
    last.ws.send('{"type":"subscribe","id":"c","from":{"tail":100}}');
    await eventually('resumed', () =>
      [again, canaryAgain, last].every((client) => messagesOf(client).length >= 2),
    );
    assert.deepEqual(messagesOf(again), ['user 0', 'user 1']);
    assert.deepEqual(messagesOf(last), ['user 0', 'user 1']);
    assert.deepEqual(messagesOf(canaryAgain), ['canary 0', 'canary 1']);
  };
  await resume(running.port);
  // Another node has nothing of it in memory.
  const other = await rig.start({ readBack: 0 }, {}, authenticate);
  await resume(other.port);

  assert.deepEqual(messagesOf(user), ['user 0', 'user 1']);
  assert.deepEqual(messagesOf(canary), ['canary 0', 'canary 1']);
  // What counts the events for viewers does not count the canary's.
  const { events } = running.tier.contextFor({}).streams;
  assert.equal(events.stats.events, 2);
});

test('the same for documents', async () => {
  const running = await rig.start({}, {}, authenticate);
  const user = await LiveClient.open(running.port);
  const canary = await LiveClient.open(running.port, asCanary);
  for (const client of [user, canary])
    client.ws.send('{"type":"subscribe","id":"a","stream":"correlations"}');
  await user.first('subscribed');
  await canary.first('subscribed');
  const documents = [canaryKind, 'requestId'].map((kind, i) => ({
    ...correlationDocument('', { correlationId: `request-${i}` }),
    kind,
    firstOffset: 10 + i,
    closeOffset: 20,
    closeSequence: i,
  }));
  await rig.appendCorrelations(documents);
  const idsOf = (client: LiveClient): (string | undefined)[] =>
    client.messages.flatMap(({ correlations = [] }) =>
      (correlations as { correlationId?: string }[]).map(({ correlationId }) => correlationId),
    );
  await eventually('both', () => idsOf(user).length > 0 && idsOf(canary).length > 0);
  assert.deepEqual(idsOf(user), ['request-1']);
  assert.deepEqual(idsOf(canary), ['request-0']);
});
