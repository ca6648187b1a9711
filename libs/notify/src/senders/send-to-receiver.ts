import type { Kind, OptionsOf, ReceiverText } from '../file/receiver-schema.ts';
import { kindNames } from '../file/receiver-schema.ts';
import { sendAlertmanager } from './alertmanager.ts';
import { sendEmail } from './email.ts';
import type { Notification } from './notification.ts';
import { sendOpsgenie } from './opsgenie.ts';
import { sendPagerduty } from './pagerduty.ts';
import type { Send, SendDeps } from './sender.ts';
import { sendSlack } from './slack.ts';
import { sendTeams } from './teams.ts';
import { sendWebhook } from './webhook.ts';

const senders: { [K in Kind]: Send<OptionsOf<K>> } = {
  webhook: sendWebhook,
  slack: sendSlack,
  teams: sendTeams,
  pagerduty: sendPagerduty,
  opsgenie: sendOpsgenie,
  email: sendEmail,
  alertmanager: sendAlertmanager,
};

/** The kind of a receiver; it has exactly one. */
export function kindOf(receiver: ReceiverText): Kind {
  return kindNames.find((kind) => receiver[kind] !== undefined)!;
}

/** Tells a receiver. Throws DeliveryError. */
export async function sendToReceiver(
  receiver: ReceiverText,
  notification: Notification,
  deps: SendDeps,
  signal: AbortSignal,
): Promise<void> {
  const kind = kindOf(receiver);
  await (senders[kind] as Send<unknown>)(receiver[kind], notification, deps, signal);
}
