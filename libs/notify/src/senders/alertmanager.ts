import { measuredText } from '@logloom/schemas';
import type { AlertState } from '../alert-state.ts';
import { DeliveryError } from '../delivery-error.ts';
import type { OptionsOf } from '../file/receiver-schema.ts';
import { resendMs } from '../file/receiver-traits.ts';
import { postRequest } from '../net/post-request.ts';
import { exampleLink, timeOf } from './describe-alerts.ts';
import type { Send } from './sender.ts';
import { timeoutOf } from './timeout-of.ts';

/** Alerts in one request. */
const batchAlerts = 500;
/** An alert that is not sent again ends after this many times `resend`, as Prometheus has it: an Alertmanager may miss some. */
const missedResends = 4;

/**
 * Names of labels as every Alertmanager takes them: those before 0.27 refuse an alert with any other, and all of its request. Of two labels
 * that become one, the one that has the name stays; empty ones are no labels to it.
 */
function labelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [name.replaceAll(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_'), value] as const);
  return { ...Object.fromEntries(named), ...Object.fromEntries(named.filter(([name]) => name in labels)) };
}

/** An alert as Alertmanager's API v2 takes it (its openapi.yaml, postableAlert). */
export function postableAlert(alert: AlertState, endsAtMs: number, link: string | undefined) {
  const [example] = alert.examples;
  return {
    labels: labelsOf(alert.labels),
    annotations: {
      summary: alert.message,
      ...(alert.condition === '' ? {} : { condition: alert.condition }),
      ...(alert.value === null ? {} : { value: measuredText(alert.condition, alert.value) }),
      ...(alert.examples.length === 0 ? {} : { examples: alert.examples.join(' ') }),
    },
    startsAt: timeOf(alert.startsAt),
    endsAt: timeOf(alert.endsAt ?? endsAtMs),
    ...(link !== undefined && { generatorURL: example === undefined ? link : exampleLink(link, example) }),
  };
}

/**
 * Sends alerts to every member of the cluster, which know by their labels which are the same. It is told once one of them has taken all, as
 * Prometheus has it: they tell each other who was notified.
 */
export const sendAlertmanager: Send<OptionsOf<'alertmanager'>> = async (
  options,
  { alerts },
  deps,
  signal,
) => {
  const { urls, bearerToken, proxy, timeout } = options;
  const endsAtMs = deps.nowMs() + missedResends * resendMs(options);
  const bodies: string[] = [];
  for (let i = 0; i < alerts.length; i += batchAlerts)
    bodies.push(
      JSON.stringify(
        alerts.slice(i, i + batchAlerts).map((alert) => postableAlert(alert, endsAtMs, deps.link)),
      ),
    );
  const tellMember = async (base: string): Promise<void> => {
    for (const body of bodies)
      await postRequest(
        {
          url: `${base.replace(/\/+$/, '')}/api/v2/alerts`,
          headers: {
            'content-type': 'application/json',
            ...(bearerToken !== undefined && { authorization: `Bearer ${bearerToken}` }),
          },
          body,
          proxy,
          ...timeoutOf(timeout),
        },
        deps.rules,
        signal,
      );
  };
  const results = await Promise.allSettled(urls.map(tellMember));
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as Error] : [],
  );
  if (failures.length < urls.length) return;
  // Where one of them may take it later, it is tried again.
  throw failures.find((error) => !(error instanceof DeliveryError) || !error.isFinal) ?? failures[0]!;
};
