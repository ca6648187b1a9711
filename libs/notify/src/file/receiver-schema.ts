import { durationMs } from '@logloom/schemas';
import { z } from 'zod';

const isUrl = (text: string): boolean => /^https?:$/.test(URL.parse(text)?.protocol ?? '');
const url = (what: string) =>
  z.string().max(2048).refine(isUrl, { message: 'is not an http or https URL' }).describe(what);
const secret = (what: string) => z.string().min(1).max(4096).describe(`${what}; \${NAME} for a variable`);

/** A time of at least 1 ms and at most `longest`. */
export function duration(longest: string, what: string) {
  return z
    .string()
    .refine((text) => durationMs(text) > 0, { message: 'is a whole number with ms, s, m, h or d' })
    .refine((text) => !(durationMs(text) > durationMs(longest)), { message: `is at most ${longest}` })
    .describe(`${what}, such as 30s; at most ${longest}`);
}

/** Of every receiver that is reached by HTTP. */
const http = {
  proxy: url('an HTTP proxy, through which the requests go').optional(),
  timeout: duration('60s', 'how long an answer may take; default 10s').optional(),
};

const webhook = z
  .strictObject({
    url: url('where to post'),
    method: z.enum(['POST', 'PUT']).optional().describe('default POST'),
    headers: z
      .record(
        z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, { message: 'is no name of a header' }),
        z.string().max(4096),
      )
      .optional()
      .describe('headers of the request'),
    body: z
      .string()
      .min(1)
      .max(65_536)
      .optional()
      .describe("a Liquid template of the body; default: the JSON of Alertmanager's webhooks, version 4"),
    secret: secret(
      'key of the signature in webhook-signature, as standardwebhooks.com defines it; whsec_ and base64, or any text',
    ).optional(),
    ...http,
  })
  .describe('posts JSON, or what a template makes');

const slack = z
  .strictObject({ url: url("an incoming webhook of Slack, or of what takes Slack's messages"), ...http })
  .describe('a message in Slack');

const teams = z
  .strictObject({ url: url('the URL of a workflow "When a Teams webhook request is received"'), ...http })
  .describe('an adaptive card in Microsoft Teams');

const pagerduty = z
  .strictObject({
    routingKey: secret('integration key of a service, Events API v2'),
    url: url('default https://events.pagerduty.com/v2/enqueue').optional(),
    ...http,
  })
  .describe('an event of PagerDuty: trigger, acknowledge, resolve');

const opsgenie = z
  .strictObject({
    apiKey: secret('key of an API integration'),
    url: url('default https://api.opsgenie.com; in Europe https://api.eu.opsgenie.com').optional(),
    responders: z
      .array(
        z.strictObject({
          type: z.enum(['team', 'user', 'escalation', 'schedule']),
          id: z.string().min(1).optional(),
          name: z.string().min(1).optional(),
          username: z.string().min(1).optional(),
        }),
      )
      .max(50)
      .optional()
      .describe('who is told'),
    tags: z.array(z.string().min(1).max(50)).max(20).optional(),
    ...http,
  })
  .describe('an alert of Opsgenie: create, acknowledge, close');

const address = z
  .string()
  .min(3)
  .max(998)
  .regex(/^[^\r\n]*@[^\r\n]*$/, { message: 'is no address' });
const email = z
  .strictObject({
    server: z
      .string()
      .refine((text) => /^smtps?:\/\/[^/?#\s@]+$/.test(text) && URL.canParse(text), {
        message: 'is not smtp://host:port or smtps://host:port',
      })
      .describe('smtp://host:587, or smtps:// for TLS from the first byte'),
    startTls: z
      .enum(['required', 'ifOffered', 'off'])
      .optional()
      .describe('with smtp://; default required: nothing is sent without TLS'),
    caFile: z.string().min(1).optional().describe('PEM file of the authority that the server is checked by'),
    username: secret('user').optional(),
    password: secret('password').optional(),
    from: address,
    to: z.array(address).min(1).max(100),
    timeout: http.timeout,
  })
  .describe('an e-mail by SMTP');

const alertmanager = z
  .strictObject({
    urls: z
      .array(url('base URL, such as http://alertmanager:9093'))
      .min(1)
      .max(10)
      .describe('every member of the cluster; alerts go to all of them'),
    resend: duration('1h', 'how often what fires is sent again; default 1m').optional(),
    bearerToken: secret('token').optional(),
    ...http,
  })
  .describe("alerts of Prometheus Alertmanager's API v2, whose routes are used instead of ours");

/** The kinds of receivers, by the key that has their options. */
export const kinds = { webhook, slack, teams, pagerduty, opsgenie, email, alertmanager };
export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as Kind[];
export type OptionsOf<K extends Kind> = z.infer<(typeof kinds)[K]>;

export const receiverSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        message: 'a name is 1 to 64 letters, digits, dots, underscores and hyphens',
      })
      .describe('what routes and metrics call it; unique in the file'),
    sendResolved: z
      .boolean()
      .optional()
      .describe('whether it is told when alerts are resolved; default true'),
    webhook: webhook.optional(),
    slack: slack.optional(),
    teams: teams.optional(),
    pagerduty: pagerduty.optional(),
    opsgenie: opsgenie.optional(),
    email: email.optional(),
    alertmanager: alertmanager.optional(),
  })
  .refine((receiver) => kindNames.filter((kind) => receiver[kind] !== undefined).length === 1, {
    message: `has exactly one of ${kindNames.join(', ')}`,
  })
  .describe('a receiver: a name, and one kind with its options');

export type ReceiverText = z.infer<typeof receiverSchema>;
