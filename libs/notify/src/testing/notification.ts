import type { AlertState } from '../alert-state.ts';
import type { Notification } from '../senders/notification.ts';
import { alertState } from './alert.ts';

/** A message about these alerts. */
export function notificationOf(
  alerts: readonly AlertState[] = [alertState(1)],
  rest: Partial<Notification> = {},
): Notification {
  const firingCount = alerts.filter(({ state }) => state === 'firing').length;
  return {
    id: 'f'.repeat(32),
    receiver: 'hook',
    groupId: 'a'.repeat(20),
    groupLabels: { alertname: 'errors-by-service' },
    status: firingCount > 0 ? 'firing' : 'resolved',
    alerts,
    firingCount,
    resolvedCount: alerts.length - firingCount,
    ackedBy: null,
    isAcknowledgement: false,
    ...rest,
  };
}
