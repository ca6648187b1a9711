import { createHmac } from 'node:crypto';

/**
 * The headers of a signed webhook, as standardwebhooks.com defines them: HMAC-SHA256 of id, timestamp and body, so that a receiver recognizes
 * who sent it, and that it is no repeat of an old message.
 */
export function signWebhook(
  { id, timestampS, body }: { id: string; timestampS: number; body: string },
  secret: string,
): Record<string, string> {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const signature = createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64');
  return { 'webhook-signature': `v1,${signature}` };
}
