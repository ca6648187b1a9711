import { parseFilter } from '@logloom/filter';
import { authenticateNobody, type Authenticate } from '@logloom/auth';
import { loadtestKind, type LogEvent } from '@logloom/schemas';
import { correlationDocument, eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LiveClient } from '../testing/live-client.ts';
import { LiveRig } from '../testing/live-rig.ts';

const rig = await LiveRig.open();
after(() => rig.close());

const imposed = parseFilter('level:error');
assert.ok(imposed.ok);
const { filter } = imposed;
/** One principal has an imposed filter, which load tests' events match too. */
const authenticate: Authenticate = async (request) =>
  request.headers.authorization === 'Bearer tenant'
    ? { ok: true, principal: { subject: 'tenant', filter } }
    : authenticateNobody(request);
const asTenant = { headers: { authorization: 'Bearer tenant' } };

function event(message: string): LogEvent {
  const isLoadtest = message.startsWith('load');
  return rig.event({
    message,
    level: 'error',
    correlationId: 'r1',
    correlationKind: isLoadtest ? loadtestKind : 'correlationId',
    attributes: isLoadtest ? '{"loadtest":{"run":"ab12"}}' : '{}',
  });
}

function messagesOf(client: LiveClient): string[] {
  return client.messages.flatMap(({ events = [] }) => events.map(({ message }) => message));
}

const asking = `correlationKind:${loadtestKind} AND attributes.loadtest.run:ab12`;

test('viewers get events of a load test only if they ask for them: live, from a cursor, as the last ones, over SSE', async () => {
  const running = await rig.start({}, {}, authenticate);
  const subscribe = async (port: number, filterText: string, from: unknown, options = {}) => {
    const client = await LiveClient.open(port, options);
    client.ws.send(JSON.stringify({ type: 'subscribe', id: 'a', filter: filterText, from }));
    const subscribed = await client.first('subscribed');
    return { client, cursor: (subscribed as { cursor: string }).cursor };
  };
  const user = await subscribe(running.port, '', 'now');
  const byLevel = await subscribe(running.port, 'level:error OR attributes.loadtest.run:ab12', 'now');
  const tenant = await subscribe(running.port, '*', 'now', asTenant);
  const tester = await subscribe(running.port, asking, 'now');
  await rig.append(['load 0', 'user 0', 'load 1', 'user 1'].map(event));
  const all = [user, byLevel, tenant, tester].map(({ client }) => client);
  await eventually('all live', () => all.every((client) => messagesOf(client).length >= 2));
  const users = ['user 0', 'user 1'];
  const loads = ['load 0', 'load 1'];
  assert.deepEqual(all.map(messagesOf), [users, users, users, loads]);

  // Another node has nothing of it in memory.
  for (const { port } of [running, await rig.start({ readBack: 0 }, {}, authenticate)])
    for (const from of [{ cursor: user.cursor }, { tail: 100 }, { last: '1h' }]) {
      const again = await subscribe(port, '', from);
      const testerAgain = await subscribe(port, asking, from);
      await eventually('resumed', () =>
        [again, testerAgain].every(({ client }) => messagesOf(client).length >= 2),
      );
      assert.deepEqual([messagesOf(again.client), messagesOf(testerAgain.client)], [users, loads]);
    }
  const sse = async (filterText: string): Promise<string> => {
    const abort = new AbortController();
    const url = `http://127.0.0.1:${running.port}/live/sse?filter=${encodeURIComponent(filterText)}&from=tail:100`;
    const { body } = await fetch(url, { signal: abort.signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body as ReadableStream<Uint8Array>)
      if (/ 1"/.test((text += decoder.decode(chunk, { stream: true })))) break;
    return text;
  };
  const [ofUser, ofTester] = [await sse(''), await sse(asking)];
  assert.ok(ofUser.includes('user 1') && !ofUser.includes('load 1'), ofUser);
  assert.ok(ofTester.includes('load 1') && !ofTester.includes('user 1'), ofTester);
});

test('the same for documents', async () => {
  const running = await rig.start({}, {}, authenticate);
  const subscribe = async (filterText: string): Promise<LiveClient> => {
    const client = await LiveClient.open(running.port);
    client.ws.send(
      JSON.stringify({ type: 'subscribe', id: 'a', stream: 'correlations', filter: filterText }),
    );
    await client.first('subscribed');
    return client;
  };
  const user = await subscribe('');
  const tester = await subscribe(`kind:${loadtestKind}`);
  const documents = [loadtestKind, 'requestId'].map((kind, i) => ({
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
  await eventually('both', () => idsOf(user).length > 0 && idsOf(tester).length > 0);
  assert.deepEqual([idsOf(user), idsOf(tester)], [['request-1'], ['request-0']]);
});
