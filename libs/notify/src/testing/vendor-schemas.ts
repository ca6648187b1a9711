/**
 * What vendors publish of the requests that they take, written down as far as we use it: unknown members are errors, so that a typing error in
 * ours is one. Slack's limits and block kinds are those of docs.slack.dev (Block Kit reference); Teams' message that of learn.microsoft.com
 * (Workflows webhooks) with the elements of adaptivecards.io/schemas/adaptive-card.json, version 1.4; PagerDuty's that of its OpenAPI
 * description of the Events API v2; Opsgenie's that of its OpenAPI description of the Alert API; Alertmanager's webhook that of its
 * documentation (webhook_config, version 4).
 */
import { z } from 'zod';

const slackText = z.strictObject({
  type: z.enum(['mrkdwn', 'plain_text']),
  text: z.string().min(1).max(3000),
});

export const slackSchema = z.strictObject({
  text: z.string().min(1).max(40_000),
  attachments: z
    .array(
      z.strictObject({
        color: z.string().regex(/^#[0-9a-f]{6}$/),
        fallback: z.string().min(1),
        blocks: z
          .array(z.strictObject({ type: z.literal('section'), text: slackText }))
          .min(1)
          .max(50),
      }),
    )
    .max(100),
});

const textBlock = z.strictObject({
  type: z.literal('TextBlock'),
  text: z.string().min(1),
  wrap: z.boolean().optional(),
  weight: z.enum(['default', 'lighter', 'bolder']).optional(),
  size: z.enum(['default', 'small', 'medium', 'large', 'extraLarge']).optional(),
  color: z.enum(['default', 'dark', 'light', 'accent', 'good', 'warning', 'attention']).optional(),
  spacing: z.enum(['default', 'none', 'small', 'medium', 'large', 'extraLarge', 'padding']).optional(),
  isSubtle: z.boolean().optional(),
});
const container = z.strictObject({
  type: z.literal('Container'),
  separator: z.boolean().optional(),
  items: z.array(textBlock).min(1),
});

export const teamsSchema = z.strictObject({
  type: z.literal('message'),
  attachments: z
    .array(
      z.strictObject({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null(),
        content: z.strictObject({
          $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
          type: z.literal('AdaptiveCard'),
          version: z.literal('1.4'),
          fallbackText: z.string().optional(),
          body: z.array(z.union([textBlock, container])).min(1),
          actions: z
            .array(z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.url() }))
            .optional(),
        }),
      }),
    )
    .length(1),
});

/** Larger messages are refused by Teams. */
export const teamsBytes = 28 * 1024;

const pagerdutyKeys = { routing_key: z.string().length(32), dedup_key: z.string().min(1).max(255) };

export const pagerdutySchema = z.discriminatedUnion('event_action', [
  z.strictObject({ ...pagerdutyKeys, event_action: z.literal('acknowledge') }),
  z.strictObject({ ...pagerdutyKeys, event_action: z.literal('resolve') }),
  z.strictObject({
    ...pagerdutyKeys,
    event_action: z.literal('trigger'),
    client: z.string().optional(),
    client_url: z.url().optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string().optional() })).optional(),
    payload: z.strictObject({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'warning', 'error', 'info']),
      timestamp: z.iso.datetime().optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional(),
      custom_details: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
]);

const opsgenieAction = { user: z.string().max(100).optional(), source: z.string().max(100).optional() };

export const opsgenieActionSchema = z.strictObject({ ...opsgenieAction, note: z.string().optional() });

export const opsgenieCreateSchema = z.strictObject({
  ...opsgenieAction,
  message: z.string().min(1).max(130),
  alias: z.string().min(1).max(512),
  description: z.string().max(15_000).optional(),
  responders: z
    .array(
      z.strictObject({
        type: z.enum(['team', 'user', 'escalation', 'schedule']),
        id: z.string().optional(),
        name: z.string().optional(),
        username: z.string().optional(),
      }),
    )
    .max(50)
    .optional(),
  tags: z.array(z.string().max(50)).max(20).optional(),
  details: z.record(z.string(), z.string()).optional(),
  priority: z.enum(['P1', 'P2', 'P3', 'P4', 'P5']).optional(),
});

const labels = z.record(z.string(), z.string());

/** Members of our own are allowed: readers of JSON ignore what they do not know. */
export const alertmanagerWebhookSchema = z.object({
  version: z.literal('4'),
  groupKey: z.string(),
  truncatedAlerts: z.int(),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string(),
  groupLabels: labels,
  commonLabels: labels,
  commonAnnotations: labels,
  externalURL: z.string(),
  alerts: z.array(
    z.object({
      status: z.enum(['firing', 'resolved']),
      labels,
      annotations: labels,
      startsAt: z.iso.datetime(),
      endsAt: z.iso.datetime(),
      generatorURL: z.string(),
      fingerprint: z.string(),
    }),
  ),
});
