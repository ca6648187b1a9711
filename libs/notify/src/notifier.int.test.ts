import { eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { notificationJob } from './groups/jobs.ts';
import { alertState, resolvedState } from './testing/alert.ts';
import { startHttpReceiver, status, type Taken } from './testing/http-receiver.ts';
import { openNotifierRig } from './testing/notifier-rig.ts';

interface Payload {
  id: string;
  status: string;
  groupKey: string;
  groupLabels: Record<string, string>;
  alerts: { fingerprint: string; status: string }[];
}

const fast = 'groupWait: 20ms, groupInterval: 30ms, repeatInterval: 1h';

function webhook(url: string, route = fast, timeout = ''): string {
  return `receivers:
  - name: hook
    webhook: { url: '${url}'${timeout} }
routes:
  - { receiver: hook, groupBy: [alertname], ${route} }
`;
}

function payloads(taken: readonly Taken[]): Payload[] {
  return taken.map(({ body }) => JSON.parse(body) as Payload);
}

const stateOf = (payload: Payload | undefined): string =>
  `${payload?.status}: ${payload?.alerts.map((alert) => `${alert.fingerprint.at(-1)} ${alert.status}`).join(', ')}`;

test('alerts of a group come in one message, news in another, the resolve in a third, and a repeated call changes nothing', async () => {
  await using receiver = await startHttpReceiver();
  using folder = temporaryFolder('notify');
  await using rig = await openNotifierRig({ folder: folder.path, text: webhook(receiver.url) });
  const [one, two, three] = [alertState(1), alertState(2), alertState(3)];
  const seen = (): string[] => payloads(receiver.taken).map(stateOf);
  await rig.notifier.notify([one, two]);
  await eventually('the group was told', () => seen().length === 1);
  assert.equal(seen()[0], 'firing: 1 firing, 2 firing');
  await rig.notifier.notify([one, three]);
  await eventually('the news were told', () => seen().length === 2);
  assert.equal(seen()[1], 'firing: 1 firing, 2 firing, 3 firing');
  await rig.notifier.notify([resolvedState(one), one]);
  await eventually('the first is resolved', () => seen().length === 3);
  assert.equal(seen()[2], 'firing: 2 firing, 3 firing, 1 resolved');
  await rig.notifier.notify([resolvedState(two), resolvedState(three)]);
  await eventually('all are resolved', () => seen().length === 4);
  assert.equal(seen()[3], 'resolved: 2 resolved, 3 resolved');
  await eventually(
    'the group is forgotten',
    async () => (await rig.records.list('notify-group')).length === 0,
  );
  const kinds = ['notify-alert', 'notify-delivered', `notify-group-${payloads(receiver.taken)[0]!.groupKey}`];
  for (const kind of kinds) assert.deepEqual(await rig.records.list(kind), [], kind);
  await rig.notifier.notify([alertState(1, { revision: 3 })]);
  await eventually('a new group begins', () => seen().length === 5);
  assert.equal(new Set(payloads(receiver.taken).map(({ id }) => id)).size, 5);
  await eventually('each was counted', async () => (await rig.outcomes('hook'))['sent'] === 5);
  assert.deepEqual(await rig.outcomes('hook'), { sent: 5, failed: 0, dead: 0 });
});

test('what is over before its group was told is not told', async () => {
  await using receiver = await startHttpReceiver();
  using folder = temporaryFolder('notify');
  await using rig = await openNotifierRig({ folder: folder.path, text: webhook(receiver.url) });
  await rig.notifier.notify([alertState(1), resolvedState(alertState(1)), resolvedState(alertState(2))]);
  await rig.notifier.notify([alertState(4)]);
  await rig.notifier.notify([resolvedState(alertState(4))]);
  await rig.notifier.notify([alertState(3, { rule: 'other' })]);
  await eventually('the other group was told', () => receiver.taken.length > 0);
  assert.deepEqual(payloads(receiver.taken).map(stateOf), ['firing: 3 firing']);
  const known = await rig.records.list('notify-alert');
  assert.deepEqual(
    known.map(({ id }) => id),
    [alertState(3).fingerprint],
  );
});

test('what still fires is said again, with another id, until somebody acknowledges it', async () => {
  await using receiver = await startHttpReceiver();
  using folder = temporaryFolder('notify');
  const text = webhook(receiver.url, 'groupWait: 1ms, groupInterval: 1ms, repeatInterval: 40ms');
  await using rig = await openNotifierRig({ folder: folder.path, text });
  const alert = alertState(1);
  await rig.notifier.notify([alert]);
  await eventually('it was said three times', () => receiver.taken.length >= 3);
  await rig.notifier.notify([{ ...alert, revision: 2, ackedBy: 'ada' }]);
  await eventually('the acknowledgement is known, and nothing is on its way', async () => {
    const known = (await rig.records.get('notify-alert', alert.fingerprint)) as { revision: number };
    const [group] = await rig.records.list('notify-group');
    return known.revision === 2 && !(group?.value as { isSending: boolean }).isSending;
  });
  const said = receiver.taken.length;
  assert.equal(new Set(payloads(receiver.taken).map(({ id }) => id)).size, said);
  await rig.notifier.notify([{ ...alert, revision: 3, state: 'resolved', endsAt: alert.startsAt + 1 }]);
  await eventually('it is resolved', () => receiver.taken.length === said + 1);
  assert.equal(payloads(receiver.taken).at(-1)?.status, 'resolved');
});

test('a receiver that fails is told later, in the same words and under the same id', async () => {
  await using receiver = await startHttpReceiver();
  using folder = temporaryFolder('notify');
  const text = webhook(receiver.url, fast, ', timeout: 300ms');
  await using rig = await openNotifierRig({ folder: folder.path, text });
  const answers = [() => {}, status(429, { 'retry-after': '0' }), status(500, { 'retry-after': '0' })];
  receiver.answerWith((taken, response) => (answers.shift() ?? status(200))(taken, response));
  await rig.notifier.notify([alertState(1)]);
  await eventually('it was told at last', async () => (await rig.outcomes('hook'))['sent'] === 1);
  assert.deepEqual(await rig.outcomes('hook'), { sent: 1, failed: 3, dead: 0 });
  assert.equal(new Set(payloads(receiver.taken).map(({ id }) => id)).size, 1);
});

test('an attempt says what is true at its time, so nothing older follows what is newer', async () => {
  await using receiver = await startHttpReceiver(status(503));
  using folder = temporaryFolder('notify');
  await using rig = await openNotifierRig({ folder: folder.path, text: webhook(receiver.url) });
  await rig.notifier.notify([alertState(1)]);
  await eventually('the first attempt failed', () => receiver.taken.length >= 1);
  await rig.notifier.notify([resolvedState(alertState(1)), alertState(2)]);
  await eventually('the second attempt knows more', () =>
    payloads(receiver.taken).some((payload) => stateOf(payload) === 'firing: 2 firing, 1 resolved'),
  );
  receiver.answerWith(status(200));
  await eventually('it was told', async () => (await rig.outcomes('hook'))['sent'] === 1);
  assert.equal(stateOf(payloads(receiver.taken).at(-1)), 'firing: 2 firing, 1 resolved');
});

test('where the answer was lost, the end is told, also after a restart', async () => {
  await using receiver = await startHttpReceiver((_, response) => void response.destroy());
  using folder = temporaryFolder('notify');
  const text = webhook(receiver.url);
  const one = alertState(1);
  {
    await using rig = await openNotifierRig({ folder: folder.path, text });
    await rig.notifier.notify([one]);
    await eventually('it was tried', async () => (await rig.outcomes('hook'))['failed']! >= 1);
    await rig.notifier.notify([resolvedState(one)]);
    await eventually('its end is known', async () => {
      const known = (await rig.records.get('notify-alert', one.fingerprint)) as { revision: number };
      return known.revision === 2;
    });
  }
  receiver.answerWith(status(200));
  await using rig = await openNotifierRig({ folder: folder.path, text });
  await eventually(
    'the group is forgotten',
    async () => (await rig.records.list('notify-group')).length === 0,
  );
  assert.equal(stateOf(payloads(receiver.taken).at(-1)), 'resolved: 1 resolved');
});

test('the end of what a receiver has certainly not taken is not told', async () => {
  await using receiver = await startHttpReceiver(status(429, { 'retry-after': '0' }));
  using folder = temporaryFolder('notify');
  await using rig = await openNotifierRig({ folder: folder.path, text: webhook(receiver.url) });
  await rig.notifier.notify([alertState(1)]);
  await eventually('it was tried', async () => (await rig.outcomes('hook'))['failed']! >= 1);
  await rig.notifier.notify([resolvedState(alertState(1))]);
  await eventually(
    'the group is forgotten',
    async () => (await rig.records.list('notify-group')).length === 0,
  );
  assert.ok(payloads(receiver.taken).every((payload) => stateOf(payload) === 'firing: 1 firing'));
});

test('a refusal is a dead letter that can be sent again', async () => {
  await using receiver = await startHttpReceiver(status(404));
  using folder = temporaryFolder('notify');
  const text = webhook(receiver.url);
  await using rig = await openNotifierRig({ folder: folder.path, text });
  await rig.notifier.notify([alertState(1)]);
  await eventually('its job failed', async () => (await rig.queue.failed(notificationJob)).length === 1);
  const [dead] = await rig.queue.failed(notificationJob);
  assert.match(dead!.error!, /^hook was not told: http:\/\/127.0.0.1:\d+ answered 404$/);
  assert.equal(receiver.taken.length, 1, 'it is not tried again by itself');
  assert.equal((await rig.outcomes('hook'))['dead'], 1);
  receiver.answerWith(status(200));
  await rig.queue.retry(dead!.id);
  await eventually('it was told', async () => (await rig.outcomes('hook'))['sent'] === 1);
  const ids = payloads(receiver.taken).map(({ id }) => id);
  assert.equal(ids[0], ids[1]);
});

test('after a refusal, news are told, and say what was not', async () => {
  await using receiver = await startHttpReceiver(status(400));
  using folder = temporaryFolder('notify');
  await using rig = await openNotifierRig({ folder: folder.path, text: webhook(receiver.url) });
  await rig.notifier.notify([alertState(1)]);
  await eventually('its job failed', async () => (await rig.queue.failed(notificationJob)).length === 1);
  receiver.answerWith(status(200));
  await rig.notifier.notify([alertState(2)]);
  await eventually('both are told', async () => (await rig.outcomes('hook'))['sent'] === 1);
  assert.equal(stateOf(payloads(receiver.taken).at(-1)), 'firing: 1 firing, 2 firing');
  const [dead] = await rig.queue.failed(notificationJob);
  await rig.queue.retry(dead!.id);
  await eventually(
    'the dead letter has nothing to add',
    async () => (await rig.queue.get(dead!.id))?.state === 'completed',
  );
  assert.equal(receiver.taken.length, 2);
});

test('nothing is sent to an address that is not public unless it is allowed', async () => {
  await using receiver = await startHttpReceiver();
  using folder = temporaryFolder('notify');
  for (const url of [
    receiver.url,
    `http://localhost:${receiver.port}`,
    `http://[::ffff:127.0.0.1]:${receiver.port}`,
  ]) {
    await using rig = await openNotifierRig({ folder: folder.path, text: webhook(url), allowedHosts: [] });
    const before = (await rig.queue.failed(notificationJob)).length;
    await rig.notifier.notify([alertState(before, { rule: `rule-${before}` })]);
    await eventually(
      'its job failed',
      async () => (await rig.queue.failed(notificationJob)).length === before + 1,
    );
    const [dead] = await rig.queue.failed(notificationJob);
    assert.match(dead!.error!, /private, loopback or link-local address; RECEIVERS_ALLOWED_HOSTS/);
  }
  assert.equal(receiver.taken.length, 0);
});

test('a redirect is not followed', async () => {
  await using elsewhere = await startHttpReceiver();
  await using receiver = await startHttpReceiver(status(307, { location: `${elsewhere.url}/` }));
  using folder = temporaryFolder('notify');
  await using rig = await openNotifierRig({ folder: folder.path, text: webhook(receiver.url) });
  await rig.notifier.notify([alertState(1)]);
  await eventually('its job failed', async () => (await rig.queue.failed(notificationJob)).length === 1);
  assert.match((await rig.queue.failed(notificationJob))[0]!.error!, /answered 307/);
  assert.equal(elsewhere.taken.length, 0);
});

test('a receiver that nobody answers at holds up no other, and is told when it is there', async () => {
  await using receiver = await startHttpReceiver();
  const port = await freePort();
  using folder = temporaryFolder('notify');
  const text = `receivers:
  - { name: gone, webhook: { url: 'http://127.0.0.1:${port}' } }
  - { name: hook, webhook: { url: '${receiver.url}' } }
routes:
  - { receiver: gone, groupBy: [service], continue: true, ${fast} }
  - { receiver: hook, groupBy: [service], ${fast} }
`;
  await using rig = await openNotifierRig({ folder: folder.path, text });
  await rig.notifier.notify(Array.from({ length: 20 }, (_, n) => alertState(n)));
  await eventually('the other receiver has all', () => receiver.taken.length === 20);
  assert.equal((await rig.outcomes('gone'))['sent'], 0);
  assert.ok((await rig.outcomes('gone'))['failed']! > 0);
});

test('a changed file is taken over, one with problems is counted and the old one stays', async () => {
  await using first = await startHttpReceiver();
  await using second = await startHttpReceiver();
  using folder = temporaryFolder('notify');
  await using rig = await openNotifierRig({ folder: folder.path, text: webhook(first.url) });
  await rig.notifier.notify([alertState(1, { rule: 'one' })]);
  await eventually('the first was told', () => first.taken.length === 1);
  writeFileSync(rig.file, 'receivers: []\n');
  await eventually('the problems were counted', async () => (await rig.fileErrors()) === 1);
  await rig.notifier.notify([alertState(2, { rule: 'two' })]);
  await eventually('the first is still told', () => first.taken.length === 2);
  writeFileSync(
    rig.file,
    `receivers:
  - { name: hook, webhook: { url: '${first.url}' } }
  - { name: other, webhook: { url: '${second.url}' } }
routes:
  - { receiver: other, match: { alertname: two }, continue: true, ${fast} }
  - { receiver: hook, ${fast} }
`,
  );
  await eventually('the second is told of what fires already', () => second.taken.length > 0);
  assert.deepEqual(payloads(second.taken).map(stateOf), ['firing: 2 firing']);
  await rig.notifier.notify([resolvedState(alertState(2, { rule: 'two' }))]);
  await eventually('both hear of its end', () =>
    [first, second].every(({ taken }) => stateOf(payloads(taken).at(-1)) === 'resolved: 2 resolved'),
  );
  assert.equal(await rig.fileErrors(), 1);
});

test('a message is told after a restart, whenever the process ended', async () => {
  await using receiver = await startHttpReceiver(status(503));
  using folder = temporaryFolder('notify');
  const text = webhook(receiver.url);
  {
    await using rig = await openNotifierRig({ folder: folder.path, text });
    await rig.notifier.notify([alertState(1)]);
    await eventually('it was tried', () => receiver.taken.length >= 1);
  }
  receiver.answerWith(status(200));
  await using rig = await openNotifierRig({ folder: folder.path, text });
  await eventually('it was told', async () => (await rig.outcomes('hook'))['sent'] === 1);
});
