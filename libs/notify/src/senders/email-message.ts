import { describeAlert, examplesOf, othersOf, titleOf } from './describe-alerts.ts';
import type { Notification } from './notification.ts';

/** Subject, text and HTML of an e-mail about a group. */
export function emailMessage(
  notification: Notification,
  link: string | undefined,
): { subject: string; text: string; html: string } {
  const { alerts } = notification;
  const others = othersOf(notification, alerts.length);
  const subject = titleOf(notification).replaceAll(/\s+/g, ' ');
  const parts = alerts.map((alert) => ({ ...describeAlert(alert), examples: examplesOf(alert, link) }));
  const more = others === 0 ? [] : [`and ${others} more`];
  const text = [
    subject,
    ...parts.map(({ head, labels, facts, examples }) =>
      [head, labels, facts, ...examples.map(({ text: id, url }) => url ?? id)].filter(Boolean).join('\n'),
    ),
    ...more,
    ...(link === undefined ? [] : [link]),
  ].join('\n\n');
  const html = [
    `<h2>${htmlText(subject)}</h2>`,
    ...parts.map(
      ({ head, labels, facts, examples }) =>
        [
          `<p><b>${htmlText(head)}</b>`,
          ...(labels === '' ? [] : [htmlText(labels)]),
          htmlText(facts),
          ...examples.map(({ text: id, url }) =>
            url === undefined
              ? `<code>${htmlText(id)}</code>`
              : `<a href="${htmlText(url)}">${htmlText(id)}</a>`,
          ),
        ].join('<br>\n') + '</p>',
    ),
    ...more.map((line) => `<p>${line}</p>`),
    ...(link === undefined ? [] : [`<p><a href="${htmlText(link)}">Open Logloom</a></p>`]),
  ].join('\n');
  return { subject, text, html };
}

function htmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
