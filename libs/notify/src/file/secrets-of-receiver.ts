import type { ReceiverText } from './receiver-schema.ts';

/** What of a receiver must not be shown, also where the file has it in the open: keys, passwords, and URLs that are one. */
export function secretsOfReceiver(receiver: ReceiverText): string[] {
  const { webhook, slack, teams, pagerduty, opsgenie, email, alertmanager } = receiver;
  const urls = [webhook?.url, ...(alertmanager?.urls ?? [])];
  const proxies = [webhook, slack, teams, pagerduty, opsgenie, alertmanager].map((kind) => kind?.proxy);
  return [
    slack?.url,
    teams?.url,
    webhook?.secret,
    pagerduty?.routingKey,
    opsgenie?.apiKey,
    email?.password,
    alertmanager?.bearerToken,
    ...[...urls, ...proxies].flatMap(passwordsOf),
  ].filter((secret) => secret !== undefined);
}

function passwordsOf(url: string | undefined): string[] {
  const password = url === undefined ? undefined : URL.parse(url)?.password;
  if (password === undefined || password === '') return [];
  return [password, decodeURIComponent(password)];
}
