import type { OptionsOf } from '../file/receiver-schema.ts';
import { postRequest } from '../net/post-request.ts';
import { cut, describeAlert, examplesOf, othersOf, titleOf, worstSeverity } from './describe-alerts.ts';
import type { Notification } from './notification.ts';
import type { Send } from './sender.ts';
import { timeoutOf } from './timeout-of.ts';

/** Teams refuses messages of more than 28 KB. */
const mostBytes = 27 * 1024;
const alertBlocks = 20;
const textCharacters = 400;

const styles: Readonly<Record<string, string>> = {
  critical: 'attention',
  high: 'attention',
  medium: 'warning',
};

/** A message with an adaptive card (adaptivecards.io, version 1.4), as Teams' workflows take it. */
export function teamsMessage(notification: Notification, link: string | undefined) {
  for (let alerts = alertBlocks; ; alerts--) {
    const message = messageOf(notification, link, alerts);
    if (alerts === 1 || Buffer.byteLength(JSON.stringify(message)) <= mostBytes) return message;
  }
}

function messageOf(notification: Notification, link: string | undefined, mostShown: number) {
  const { status, alerts } = notification;
  const shown = alerts.slice(0, mostShown);
  const more = othersOf(notification, shown.length);
  const color = status === 'resolved' ? 'good' : (styles[worstSeverity(alerts) ?? ''] ?? 'default');
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          fallbackText: cut(titleOf(notification), textCharacters),
          body: [
            block(titleOf(notification), { size: 'large', weight: 'bolder', color }),
            ...shown.map((alert) => {
              const { head, labels, facts } = describeAlert(alert);
              const examples = examplesOf(alert, link).map(({ text, url }) =>
                url === undefined ? plain(text) : `[${plain(text)}](${url})`,
              );
              return {
                type: 'Container',
                separator: true,
                items: [
                  block(head, { weight: 'bolder' }),
                  ...(labels === '' ? [] : [block(labels, { spacing: 'none' })]),
                  block(facts, { spacing: 'none', isSubtle: true }),
                  ...(examples.length === 0
                    ? []
                    : [{ ...block('', { spacing: 'none' }), text: examples.slice(0, 3).join(' ') }]),
                ],
              };
            }),
            ...(more === 0 ? [] : [block(`and ${more} more`, { isSubtle: true })]),
          ],
          ...(link === undefined
            ? {}
            : { actions: [{ type: 'Action.OpenUrl', title: 'Open Logloom', url: link }] }),
        },
      },
    ],
  };
}

export const sendTeams: Send<OptionsOf<'teams'>> = async (options, notification, deps, signal) => {
  const { url, proxy, timeout } = options;
  const body = JSON.stringify(teamsMessage(notification, deps.link));
  const headers = { 'content-type': 'application/json' };
  await postRequest({ url, headers, body, proxy, ...timeoutOf(timeout) }, deps.rules, signal);
};

function block(text: string, look: object) {
  return { type: 'TextBlock', text: plain(cut(text, textCharacters)), wrap: true, ...look };
}

/** A TextBlock reads a part of Markdown: what could be a link, emphasis or a list is escaped. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_[\]()#]/g, '\\$&');
}
