import type { OptionsOf } from '../file/receiver-schema.ts';
import { postRequest } from '../net/post-request.ts';
import { cut, describeAlert, examplesOf, othersOf, titleOf, worstSeverity } from './describe-alerts.ts';
import type { Notification } from './notification.ts';
import type { Send } from './sender.ts';
import { timeoutOf } from './timeout-of.ts';

/** Limits of Slack: characters of a section's text, and of a message's `text` before it is cut. */
const sectionCharacters = 3_000;
const textCharacters = 4_000;
/** Slack takes 50 blocks in a message; people read fewer. */
const alertBlocks = 20;

const colors: Readonly<Record<string, string>> = {
  critical: '#c0392b',
  high: '#d35400',
  medium: '#f39c12',
  low: '#7f8c8d',
};

/** A message of Slack's incoming webhooks: `text` is what notifications show, the blocks the message itself. */
export function slackMessage(notification: Notification, link: string | undefined) {
  const { status, alerts } = notification;
  const title = titleOf(notification);
  const shown = alerts.slice(0, alertBlocks);
  const more = othersOf(notification, shown.length);
  const color = status === 'resolved' ? '#27ae60' : (colors[worstSeverity(alerts) ?? ''] ?? '#d35400');
  const heading = link === undefined ? slackText(title) : `<${slackText(link)}|${slackText(title)}>`;
  return {
    text: cut(slackText(title), textCharacters),
    attachments: [
      {
        color,
        fallback: cut(title, textCharacters),
        blocks: [
          section(`*${heading}*`),
          ...shown.map((alert) => {
            const { head, labels, facts } = describeAlert(alert);
            const examples = examplesOf(alert, link).map(({ text, url }) =>
              url === undefined ? `\`${slackText(text)}\`` : `<${slackText(url)}|${slackText(text)}>`,
            );
            return section(
              [
                `*${slackText(head)}*`,
                ...(labels === '' ? [] : [slackText(labels)]),
                slackText(facts),
                ...(examples.length === 0 ? [] : [examples.join(' ')]),
              ].join('\n'),
            );
          }),
          ...(more === 0 ? [] : [section(`and ${more} more`)]),
        ],
      },
    ],
  };
}

export const sendSlack: Send<OptionsOf<'slack'>> = async (options, notification, deps, signal) => {
  const { url, proxy, timeout } = options;
  const body = JSON.stringify(slackMessage(notification, deps.link));
  const headers = { 'content-type': 'application/json' };
  await postRequest({ url, headers, body, proxy, ...timeoutOf(timeout) }, deps.rules, signal);
};

function section(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text, sectionCharacters) } };
}

/** These three are all that Slack reads as markup of its own (docs.slack.dev, formatting message text). */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
