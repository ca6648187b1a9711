import { durationMs } from '@logloom/schemas';
import type { OptionsOf, ReceiverText } from './receiver-schema.ts';

const defaultResend = '1m';

/** How often an Alertmanager is sent what fires, ms. */
export function resendMs({ resend }: Pick<OptionsOf<'alertmanager'>, 'resend'>): number {
  return durationMs(resend ?? defaultResend);
}

/** Whether a receiver knows acknowledgements; others are not told of them. */
export function takesAcknowledgements(receiver: ReceiverText): boolean {
  return receiver.pagerduty !== undefined || receiver.opsgenie !== undefined;
}
