import type { OptionsOf } from '../file/receiver-schema.ts';
import { postRequest } from '../net/post-request.ts';
import { cut, describeAlert, exampleLink, timeOf, titleOf, worstSeverity } from './describe-alerts.ts';
import type { Notification } from './notification.ts';
import type { Send } from './sender.ts';
import { timeoutOf } from './timeout-of.ts';

const defaultUrl = 'https://events.pagerduty.com/v2/enqueue';
/** PagerDuty's limits: characters of a summary; details are cut long before an event has 512 KB. */
const summaryCharacters = 1_024;
const detailedAlerts = 20;

const severities: Readonly<Record<string, string>> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
};

/** An event of PagerDuty's Events API v2. A group is one incident, under its `dedup_key`. */
export function pagerdutyEvent(notification: Notification, routingKey: string, link: string | undefined) {
  const { status, alerts, groupId, groupLabels, isAcknowledgement } = notification;
  const event = { routing_key: routingKey, dedup_key: `logloom-${groupId}` };
  if (status === 'resolved') return { ...event, event_action: 'resolve' };
  if (isAcknowledgement) return { ...event, event_action: 'acknowledge' };
  const first = alerts[0];
  return {
    ...event,
    event_action: 'trigger',
    client: 'Logloom',
    ...(link !== undefined && { client_url: link }),
    payload: {
      summary: cut(titleOf(notification), summaryCharacters),
      source: first?.labels['service'] ?? 'logloom',
      severity: severities[worstSeverity(alerts) ?? ''] ?? 'error',
      ...(first !== undefined && { timestamp: timeOf(first.startsAt), class: first.rule }),
      custom_details: {
        ...groupLabels,
        alerts: alerts.slice(0, detailedAlerts).map((alert) => {
          const { head, labels, facts } = describeAlert(alert);
          return cut([head, labels, facts, alert.examples.join(' ')].filter(Boolean).join('\n'), 2_000);
        }),
      },
    },
    ...(link === undefined
      ? {}
      : {
          links: alerts
            .flatMap(({ examples }) => examples)
            .slice(0, 10)
            .map((id) => ({ href: exampleLink(link, id), text: `request ${id}` })),
        }),
  };
}

export const sendPagerduty: Send<OptionsOf<'pagerduty'>> = async (options, notification, deps, signal) => {
  const { routingKey, url = defaultUrl, proxy, timeout } = options;
  const body = JSON.stringify(pagerdutyEvent(notification, routingKey, deps.link));
  const headers = { 'content-type': 'application/json' };
  await postRequest({ url, headers, body, proxy, ...timeoutOf(timeout) }, deps.rules, signal);
};
