import type { Notifier } from '@logloom/notify';
import type { AlertState } from './alert-state.ts';

/** Returns the function that tells receivers of alerts as they are; it resolves when the job queue has them. */
export function tellReceivers(
  notifier: Pick<Notifier, 'notify'>,
): (alerts: readonly AlertState[]) => Promise<void> {
  return async (alerts) => {
    await notifier.notify(
      alerts.map(({ acknowledged, ...alert }) => ({
        fingerprint: alert.fingerprint,
        revision: alert.revision,
        rule: alert.rule,
        state: alert.state,
        severity: alert.severity,
        labels: alert.labels,
        message: alert.message,
        value: alert.value,
        condition: alert.condition,
        startsAt: alert.startsAt,
        endsAt: alert.endsAt,
        examples: alert.examples,
        silencedBy: alert.silencedBy,
        ackedBy: acknowledged?.author ?? null,
      })),
    );
  };
}
