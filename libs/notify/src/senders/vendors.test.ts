import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import type { ReceiverText } from '../file/receiver-schema.ts';
import { AddressRules } from '../net/address-rules.ts';
import { alertState, resolvedState } from '../testing/alert.ts';
import { startHttpReceiver, type Taken } from '../testing/http-receiver.ts';
import { notificationOf } from '../testing/notification.ts';
import {
  opsgenieActionSchema,
  opsgenieCreateSchema,
  pagerdutySchema,
  slackSchema,
  teamsSchema,
} from '../testing/vendor-schemas.ts';
import { sendToReceiver } from './send-to-receiver.ts';

const { signal } = new AbortController();
const deps = { rules: new AddressRules(['127.0.0.1']), link: 'https://logloom.example.com', nowMs: Date.now };
const fires = alertState(1);
const acked = { ...fires, revision: 2, ackedBy: 'ada' };
const life = [
  notificationOf([fires]),
  notificationOf([acked], { isAcknowledgement: true, ackedBy: 'ada' }),
  notificationOf([resolvedState(acked)]),
];

interface Vendor {
  name: string;
  receiver: (url: string) => ReceiverText;
  /** What its documentation says of the request, by its path. */
  schema: (taken: Taken) => z.ZodType | undefined;
  answer: { status: number; body: string };
  /** The paths that a fire, its acknowledgement and its end go to. */
  paths: [string, string, string];
}

const alias = `logloom-${life[0]!.groupId}`;

/** These are servers of our own that check the published schemas: the vendors' services cannot be run here. */
const vendors: Vendor[] = [
  {
    name: 'Slack',
    receiver: (url) => ({ name: 'x', slack: { url: `${url}/services/T0/B0/x` } }),
    schema: ({ path }) => (path === '/services/T0/B0/x' ? slackSchema : undefined),
    answer: { status: 200, body: 'ok' },
    paths: ['/services/T0/B0/x', '/services/T0/B0/x', '/services/T0/B0/x'],
  },
  {
    name: 'Teams',
    receiver: (url) => ({ name: 'x', teams: { url: `${url}/workflows/a?sig=b` } }),
    schema: ({ path }) => (path === '/workflows/a?sig=b' ? teamsSchema : undefined),
    answer: { status: 202, body: '' },
    paths: ['/workflows/a?sig=b', '/workflows/a?sig=b', '/workflows/a?sig=b'],
  },
  {
    name: 'PagerDuty',
    receiver: (url) => ({ name: 'x', pagerduty: { routingKey: 'k'.repeat(32), url: `${url}/v2/enqueue` } }),
    schema: ({ path }) => (path === '/v2/enqueue' ? pagerdutySchema : undefined),
    answer: { status: 202, body: '{"status":"success","message":"Event processed","dedup_key":"x"}' },
    paths: ['/v2/enqueue', '/v2/enqueue', '/v2/enqueue'],
  },
  {
    name: 'Opsgenie',
    receiver: (url) => ({
      name: 'x',
      opsgenie: { apiKey: 'key', url, responders: [{ type: 'team', name: 'shop' }] },
    }),
    schema: ({ path, headers }) => {
      if (headers.authorization !== 'GenieKey key') return undefined;
      return path === '/v2/alerts' ? opsgenieCreateSchema : opsgenieActionSchema;
    },
    answer: { status: 202, body: '{"result":"Request will be processed","took":0.1,"requestId":"x"}' },
    paths: [
      '/v2/alerts',
      `/v2/alerts/${alias}/acknowledge?identifierType=alias`,
      `/v2/alerts/${alias}/close?identifierType=alias`,
    ],
  },
];

for (const { name, receiver, schema, answer, paths } of vendors)
  test(`${name} takes the life of an alert, by the schema that it publishes`, async () => {
    await using server = await startHttpReceiver((taken, response) => {
      const isGood =
        taken.method === 'POST' &&
        taken.headers['content-type'] === 'application/json' &&
        schema(taken)?.safeParse(JSON.parse(taken.body)).success === true;
      response.writeHead(isGood ? answer.status : 400).end(answer.body);
    });
    for (const notification of life) await sendToReceiver(receiver(server.url), notification, deps, signal);
    assert.deepEqual(
      server.taken.map(({ path }) => path),
      paths,
    );
  });
