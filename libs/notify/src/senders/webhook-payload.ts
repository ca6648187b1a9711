import { measuredText } from '@logloom/schemas';
import { commonLabels, exampleLink, othersOf, timeOf } from './describe-alerts.ts';
import type { Notification } from './notification.ts';

/**
 * The body of Alertmanager's webhooks, version 4 (prometheus.io/docs/alerting/latest/configuration, webhook_config), which many tools take,
 * with `id`, and what else we know of an alert beside it.
 */
export function webhookPayload(notification: Notification, link: string | undefined) {
  const { id, receiver, groupId, groupLabels, status, alerts, isAcknowledgement } = notification;
  return {
    version: '4',
    id,
    groupKey: groupId,
    truncatedAlerts: othersOf(notification, alerts.length),
    status,
    isAcknowledgement,
    receiver,
    groupLabels,
    commonLabels: commonLabels(alerts),
    commonAnnotations: {},
    externalURL: link ?? '',
    alerts: alerts.map((alert) => ({
      status: alert.state === 'resolved' ? 'resolved' : 'firing',
      labels: alert.labels,
      annotations: {
        summary: alert.message,
        ...(alert.condition === '' ? {} : { condition: alert.condition }),
        ...(alert.value === null ? {} : { value: measuredText(alert.condition, alert.value) }),
      },
      startsAt: timeOf(alert.startsAt),
      // As Alertmanager writes that there is none.
      endsAt: alert.endsAt === null ? '0001-01-01T00:00:00Z' : timeOf(alert.endsAt),
      generatorURL:
        link === undefined || alert.examples[0] === undefined ? '' : exampleLink(link, alert.examples[0]),
      fingerprint: alert.fingerprint,
      rule: alert.rule,
      severity: alert.severity,
      value: alert.value,
      examples: alert.examples,
      ackedBy: alert.ackedBy,
    })),
  };
}
