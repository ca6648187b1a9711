import { randomBytes } from 'node:crypto';
import type { AlertState } from '../alert-state.ts';
import type { ReceiverText } from '../file/receiver-schema.ts';
import type { Notification } from './notification.ts';
import { sendToReceiver } from './send-to-receiver.ts';
import type { SendDeps } from './sender.ts';

/** Tells one receiver of an alert that says that it is a test, then, with `resolves`, that it is over. Throws DeliveryError. */
export async function sendTestAlert(
  receiver: ReceiverText,
  resolves: boolean,
  deps: SendDeps,
  signal: AbortSignal,
): Promise<void> {
  const fingerprint = randomBytes(8).toString('hex');
  const startsAt = deps.nowMs();
  const labels = { alertname: 'logloom-test', severity: 'low' };
  const firing: AlertState = {
    fingerprint,
    revision: 1,
    rule: 'logloom-test',
    state: 'firing',
    severity: 'low',
    labels,
    message: `A test of the receiver ${receiver.name}: nothing has happened`,
    value: null,
    condition: '',
    startsAt,
    endsAt: null,
    examples: [],
    silencedBy: [],
    ackedBy: null,
  };
  const notification: Notification = {
    id: `${fingerprint}-firing`,
    receiver: receiver.name,
    groupId: `test-${fingerprint}`,
    groupLabels: { alertname: 'logloom-test' },
    status: 'firing',
    alerts: [firing],
    firingCount: 1,
    resolvedCount: 0,
    ackedBy: null,
    isAcknowledgement: false,
  };
  await sendToReceiver(receiver, notification, deps, signal);
  if (!resolves) return;
  const resolved: AlertState = { ...firing, revision: 2, state: 'resolved', endsAt: deps.nowMs() };
  await sendToReceiver(
    receiver,
    {
      ...notification,
      id: `${fingerprint}-resolved`,
      status: 'resolved',
      alerts: [resolved],
      firingCount: 0,
      resolvedCount: 1,
    },
    deps,
    signal,
  );
}
