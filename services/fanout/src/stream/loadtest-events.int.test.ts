import { parseFilter } from '@logloom/filter';
import { authenticateNobody, type Authenticate } from '@logloom/auth';
import { loadtestKind, type LogEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LiveRig } from '../testing/live-rig.ts';
import { assertDocumentsApart, assertEventsApart } from '../testing/watch-apart.ts';

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

const asking = `correlationKind:${loadtestKind} AND attributes.loadtest.run:ab12`;

test('viewers get events of a load test only if they ask for them: live, from a cursor, as the last ones, over SSE', async () => {
  const users = ['user 0', 'user 1'];
  const { port } = await assertEventsApart(
    rig,
    authenticate,
    ['load 0', 'user 0', 'load 1', 'user 1'].map(event),
    [
      { gets: users },
      { filter: 'level:error OR attributes.loadtest.run:ab12', gets: users },
      { filter: '*', connection: asTenant, gets: users },
      { filter: asking, gets: ['load 0', 'load 1'] },
    ],
  );
  const sse = async (filterText: string): Promise<string> => {
    const abort = new AbortController();
    const url = `http://127.0.0.1:${port}/live/sse?filter=${encodeURIComponent(filterText)}&from=tail:100`;
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
  await assertDocumentsApart(
    rig,
    authenticate,
    [loadtestKind, 'requestId'],
    [{ gets: ['request-1'] }, { filter: `kind:${loadtestKind}`, gets: ['request-0'] }],
  );
});
