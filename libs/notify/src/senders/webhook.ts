import { DeliveryError } from '../delivery-error.ts';
import type { OptionsOf } from '../file/receiver-schema.ts';
import { postRequest } from '../net/post-request.ts';
import { renderTemplate } from './body-template.ts';
import type { Send } from './sender.ts';
import { signWebhook } from './sign-webhook.ts';
import { timeoutOf } from './timeout-of.ts';
import { webhookPayload } from './webhook-payload.ts';

/** Posts the payload, or what the template makes of it. */
export const sendWebhook: Send<OptionsOf<'webhook'>> = async (options, notification, deps, signal) => {
  const { url, method, headers, body: template, secret, proxy, timeout } = options;
  const payload = webhookPayload(notification, deps.link);
  const body = template === undefined ? JSON.stringify(payload) : render(template, payload);
  const { id } = notification;
  const timestampS = Math.floor(deps.nowMs() / 1000);
  await postRequest(
    {
      url,
      body,
      proxy,
      ...(method !== undefined && { method }),
      headers: {
        'content-type': 'application/json',
        ...lowerCased(headers ?? {}),
        'webhook-id': id,
        'webhook-timestamp': String(timestampS),
        ...(secret === undefined ? {} : signWebhook({ id, timestampS, body }, secret)),
      },
      ...timeoutOf(timeout),
    },
    deps.rules,
    signal,
  );
};

function render(template: string, payload: object): string {
  try {
    return renderTemplate(template, payload);
  } catch (error) {
    throw new DeliveryError(`the template cannot be used: ${(error as Error).message.split('\n')[0]}`, {
      isFinal: true,
      isRefused: true,
    });
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
