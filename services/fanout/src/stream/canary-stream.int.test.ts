import { authenticateNobody, type Authenticate } from '@logloom/auth';
import { canaryKind, type LogEvent } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LiveRig } from '../testing/live-rig.ts';
import { assertDocumentsApart, assertEventsApart } from '../testing/watch-apart.ts';

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

test('a canary gets its own events and nobody else does: live, from a cursor in memory and in the log, and as the last ones', async () => {
  const { tier } = await assertEventsApart(
    rig,
    authenticate,
    ['canary 0', 'user 0', 'canary 1', 'user 1'].map(event),
    [
      { gets: ['user 0', 'user 1'] },
      { connection: asCanary, gets: ['canary 0', 'canary 1'], onlyFromCursors: true },
    ],
  );
  // What counts the events for viewers does not count the canary's.
  assert.equal(tier.contextFor({}).streams.events.stats.events, 2);
});

test('the same for documents', async () => {
  await assertDocumentsApart(
    rig,
    authenticate,
    [canaryKind, 'requestId'],
    [{ gets: ['request-1'] }, { connection: asCanary, gets: ['request-0'] }],
  );
});
