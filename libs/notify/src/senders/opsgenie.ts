import type { OptionsOf } from '../file/receiver-schema.ts';
import { postRequest } from '../net/post-request.ts';
import { cut, describeAlert, titleOf, worstSeverity } from './describe-alerts.ts';
import type { Notification } from './notification.ts';
import type { Send } from './sender.ts';
import { timeoutOf } from './timeout-of.ts';

const defaultUrl = 'https://api.opsgenie.com';
/** Opsgenie's limits, characters. */
const messageCharacters = 130;
const descriptionCharacters = 15_000;
const detailCharacters = 400;
const mostDetails = 15;

const priorities: Readonly<Record<string, string>> = { critical: 'P1', high: 'P2', medium: 'P3', low: 'P4' };

type Options = OptionsOf<'opsgenie'>;

/** A request to Opsgenie's Alert API: its path and body. A group is one alert, under its alias. */
export function opsgenieRequest(
  notification: Notification,
  { responders, tags }: Pick<Options, 'responders' | 'tags'>,
): { path: string; body: object } {
  const { status, alerts, groupId, groupLabels, isAcknowledgement, ackedBy } = notification;
  const alias = `logloom-${groupId}`;
  const at = (action: string): string =>
    `/v2/alerts/${encodeURIComponent(alias)}/${action}?identifierType=alias`;
  if (status === 'resolved') return { path: at('close'), body: { source: 'Logloom' } };
  if (isAcknowledgement)
    return {
      path: at('acknowledge'),
      body: { source: 'Logloom', ...(ackedBy !== null && { user: cut(ackedBy, 100) }) },
    };
  const description = alerts
    .map((alert) => {
      const { head, labels, facts } = describeAlert(alert);
      return [head, labels, facts, alert.examples.join(' ')].filter(Boolean).join('\n');
    })
    .join('\n\n');
  return {
    path: '/v2/alerts',
    body: {
      message: cut(titleOf(notification), messageCharacters),
      alias,
      description: cut(description, descriptionCharacters),
      priority: priorities[worstSeverity(alerts) ?? ''] ?? 'P3',
      source: 'Logloom',
      details: Object.fromEntries(
        Object.entries(groupLabels)
          .slice(0, mostDetails)
          .map(([name, value]) => [name, cut(value, detailCharacters)]),
      ),
      ...(responders !== undefined && { responders }),
      ...(tags !== undefined && { tags }),
    },
  };
}

export const sendOpsgenie: Send<Options> = async (options, notification, deps, signal) => {
  const { apiKey, url = defaultUrl, proxy, timeout } = options;
  const { path, body } = opsgenieRequest(notification, options);
  await postRequest(
    {
      url: url.replace(/\/+$/, '') + path,
      headers: { 'content-type': 'application/json', authorization: `GenieKey ${apiKey}` },
      body: JSON.stringify(body),
      proxy,
      ...timeoutOf(timeout),
    },
    deps.rules,
    signal,
  );
};
