import {
  alertState,
  openNotifierRig,
  resolvedState,
  startHttpReceiver,
  type Taken,
} from '@logloom/notify/testing';
import { eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AlertmanagerServer, withoutAlertmanager } from '../testing/alertmanager-server.ts';

function receivers(...urls: string[]): string {
  const list = urls.map((url) => `'${url}'`).join(', ');
  return `link: https://logloom.example.com
receivers:
  - name: am
    alertmanager: { urls: [${list}], resend: 1s, timeout: 2s }
routes:
  - receiver: am
`;
}

/** What the Alertmanager has told its webhook: the states of the alerts of each message. */
function toldBy(taken: readonly Taken[]): string[] {
  return taken.flatMap(({ body }) =>
    (JSON.parse(body) as { alerts: { status: string; labels: Record<string, string> }[] }).alerts.map(
      ({ status, labels }) => `${labels['service']} ${status}`,
    ),
  );
}

test(
  'a real Alertmanager has the alerts while they fire, tells its own receivers, and hears of their end',
  { skip: withoutAlertmanager },
  async () => {
    await using hook = await startHttpReceiver();
    await using alertmanager = await AlertmanagerServer.start(hook.url);
    using folder = temporaryFolder('receivers');
    // Of two members one is not there.
    const text = receivers(`http://127.0.0.1:${await freePort()}`, alertmanager.url);
    await using rig = await openNotifierRig({ folder: folder.path, text });
    const startsAt = Date.now() - 5_000;
    const [one, two] = [1, 2].map((n) =>
      alertState(n, { startsAt, labels: { 'client.ip': '10.0.0.1' } }),
    ) as [ReturnType<typeof alertState>, ReturnType<typeof alertState>];
    await rig.notifier.notify([one, two]);
    await eventually('it has both', async () => (await alertmanager.alerts()).length === 2);
    const found = (await alertmanager.alerts()).find(({ labels }) => labels['service'] === 'service-1')!;
    const { 'client.ip': address, ...others } = one.labels;
    assert.deepEqual(found.labels, { ...others, client_ip: address });
    assert.deepEqual(found.annotations, {
      condition: one.condition,
      examples: '4bf92f351',
      summary: one.message,
      value: '5.12 %',
    });
    assert.equal(Date.parse(found.startsAt), startsAt);
    assert.equal(found.generatorURL, 'https://logloom.example.com/#requests?id=4bf92f351');
    await eventually('it has told its receiver', () => toldBy(hook.taken).length >= 2);
    assert.deepEqual(toldBy(hook.taken).sort(), ['service-1 firing', 'service-2 firing']);
    await eventually('what fires is sent again, and ends later', async () => {
      const again = (await alertmanager.alerts()).find(({ labels }) => labels['service'] === 'service-1')!;
      return Date.parse(again.endsAt) > Date.parse(found.endsAt);
    });
    await rig.notifier.notify([resolvedState({ ...one, startsAt: startsAt - 60_000 })]);
    await eventually('it has told that one is resolved', () =>
      toldBy(hook.taken).includes('service-1 resolved'),
    );
    assert.deepEqual(
      (await alertmanager.alerts()).map(({ labels }) => labels['service']),
      ['service-2'],
    );
  },
);

test(
  'an Alertmanager that was down has the alerts once it is back, and those that it forgot',
  { skip: withoutAlertmanager },
  async () => {
    await using hook = await startHttpReceiver();
    await using alertmanager = await AlertmanagerServer.start(hook.url);
    using folder = temporaryFolder('receivers');
    await using rig = await openNotifierRig({ folder: folder.path, text: receivers(alertmanager.url) });
    await rig.notifier.notify([alertState(1, { startsAt: Date.now() })]);
    await eventually('it has the first', async () => (await alertmanager.alerts()).length === 1);
    await alertmanager.stop();
    await rig.notifier.notify([alertState(2, { startsAt: Date.now() })]);
    await eventually('an attempt failed', async () => (await rig.outcomes('am'))['failed']! > 0);
    await alertmanager.startAgain();
    await eventually('it has both', async () => (await alertmanager.alerts()).length === 2);
  },
);
