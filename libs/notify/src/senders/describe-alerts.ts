import { measuredText } from '@logloom/schemas';
import type { AlertState } from '../alert-state.ts';
import type { Notification } from './notification.ts';

/** Such as `[FIRING:2] errors-by-service (service=payment)`. */
export function titleOf({ status, alerts, firingCount, groupLabels }: Notification): string {
  const count = status === 'firing' ? `FIRING:${firingCount}` : `RESOLVED`;
  const { alertname, ...labels } = groupLabels;
  const names = alertname ?? [...new Set(alerts.map(({ rule }) => rule))].slice(0, 3).join(', ');
  const others = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return `[${count}] ${names}${others.length === 0 ? '' : ` (${others.join(', ')})`}`;
}

export interface AlertLines {
  /** Such as `high: more than 5 % of requests failed`. */
  head: string;
  /** Such as `service=payment`. */
  labels: string;
  /** What was measured and since when. */
  facts: string;
}

/** The parts of an alert that every message has. */
export function describeAlert(alert: AlertState): AlertLines {
  const { state, severity, message, labels, value, condition, startsAt, endsAt, ackedBy } = alert;
  const mark = state === 'resolved' ? 'resolved' : (severity ?? 'firing');
  const { alertname: _, severity: __, ...others } = labels;
  const facts = [
    ...(condition === '' ? [] : [condition]),
    ...(value === null ? [] : [`now ${measuredText(condition, value)}`]),
    `since ${timeOf(startsAt)}`,
    ...(endsAt === null ? [] : [`until ${timeOf(endsAt)}`]),
    ...(ackedBy === null ? [] : [`acknowledged by ${ackedBy}`]),
  ];
  return {
    head: `${mark}: ${message}`,
    labels: Object.entries(others)
      .map(([name, text]) => `${name}=${text}`)
      .join(', '),
    facts: facts.join(', '),
  };
}

/** How many alerts there are besides the first `shown` ones of the message. */
export function othersOf({ firingCount, resolvedCount }: Notification, shown: number): number {
  return firingCount + resolvedCount - shown;
}

/** RFC 3339, in UTC. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Where the console shows a request, or an event's request. */
export function exampleLink(link: string, id: string): string {
  return `${link}/#requests?id=${encodeURIComponent(id)}`;
}

/** Where the console shows the alerts' examples; undefined without a link to the console. */
export function examplesOf(alert: AlertState, link: string | undefined): { text: string; url?: string }[] {
  return alert.examples.map((id) => ({
    text: id,
    ...(link !== undefined && { url: exampleLink(link, id) }),
  }));
}

/** The labels that all of the alerts have with the same value. */
export function commonLabels(alerts: readonly AlertState[]): Record<string, string> {
  const [first, ...others] = alerts;
  return Object.fromEntries(
    Object.entries(first?.labels ?? {}).filter(([name, value]) =>
      others.every(({ labels }) => labels[name] === value),
    ),
  );
}

/** The highest severity among those that fire. */
export function worstSeverity(alerts: readonly AlertState[]): string | null {
  const order = ['low', 'medium', 'high', 'critical'];
  return alerts
    .filter(({ state }) => state === 'firing')
    .map(({ severity }) => severity)
    .reduce((worst, each) => (order.indexOf(each ?? '') > order.indexOf(worst ?? '') ? each : worst), null);
}

/** At most `length` characters, with an ellipsis where something is missing. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
