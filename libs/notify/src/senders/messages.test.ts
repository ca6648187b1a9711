import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertState } from '../alert-state.ts';
import { alertState, resolvedState } from '../testing/alert.ts';
import { notificationOf } from '../testing/notification.ts';
import {
  alertmanagerWebhookSchema,
  opsgenieActionSchema,
  opsgenieCreateSchema,
  pagerdutySchema,
  slackSchema,
  teamsBytes,
  teamsSchema,
} from '../testing/vendor-schemas.ts';
import { emailMessage } from './email-message.ts';
import { opsgenieRequest } from './opsgenie.ts';
import { pagerdutyEvent } from './pagerduty.ts';
import { slackMessage } from './slack.ts';
import { teamsMessage } from './teams.ts';
import { webhookPayload } from './webhook-payload.ts';

const link = 'https://logloom.example.com';
const routingKey = 'r'.repeat(32);

/** As large as alerts become, with every character that a format may read as its own. */
const hard = (n: number): AlertState =>
  alertState(n, {
    message: `${'<b>&"\'*_`[x](http://evil.example)\\ # \u{1f525}\u4e2d'.repeat(40)}\n- a`,
    labels: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`label.${i}`, '\u4e2d'.repeat(200)])),
    examples: Array.from({ length: 5 }, (_, i) => `${n}-${i}-${'e'.repeat(60)}`),
  });

const notifications = [
  notificationOf(),
  notificationOf([resolvedState(alertState(1))]),
  notificationOf([alertState(1), resolvedState(alertState(2))]),
  notificationOf([alertState(1, { severity: null, examples: [], value: null, condition: '' })]),
  notificationOf(
    Array.from({ length: 100 }, (_, n) => hard(n)),
    { firingCount: 5_000 },
  ),
  notificationOf([alertState(1, { ackedBy: 'ada' })], { isAcknowledgement: true, ackedBy: 'ada' }),
  notificationOf([hard(1)], { groupLabels: hard(1).labels }),
];

for (const [i, notification] of notifications.entries())
  for (const withLink of [link, undefined])
    test(`message ${i}${withLink === undefined ? '' : ' with a link'} is one that each vendor's schema takes`, () => {
      slackSchema.parse(slackMessage(notification, withLink));
      const teams = teamsMessage(notification, withLink);
      teamsSchema.parse(teams);
      const bytes = Buffer.byteLength(JSON.stringify(teams));
      assert.ok(bytes <= teamsBytes, `${bytes} bytes for Teams`);
      pagerdutySchema.parse(pagerdutyEvent(notification, routingKey, withLink));
      const { path, body } = opsgenieRequest(notification, { tags: ['a'] });
      (path === '/v2/alerts' ? opsgenieCreateSchema : opsgenieActionSchema).parse(body);
      alertmanagerWebhookSchema.parse(webhookPayload(notification, withLink));
    });

test('PagerDuty and Opsgenie know an incident by one key, from its trigger to its end', () => {
  const one = alertState(1);
  const fires = notificationOf([one]);
  const acked = notificationOf([{ ...one, ackedBy: 'ada' }], { isAcknowledgement: true, ackedBy: 'ada' });
  const over = notificationOf([resolvedState(one)]);
  const events = [fires, acked, over].map((each) => pagerdutyEvent(each, routingKey, link));
  assert.deepEqual(
    events.map(({ event_action }) => event_action),
    ['trigger', 'acknowledge', 'resolve'],
  );
  assert.equal(new Set(events.map(({ dedup_key }) => dedup_key)).size, 1);
  const alias = (opsgenieRequest(fires, {}).body as { alias: string }).alias;
  assert.equal(opsgenieRequest(acked, {}).path, `/v2/alerts/${alias}/acknowledge?identifierType=alias`);
  assert.deepEqual(opsgenieRequest(acked, {}).body, { source: 'Logloom', user: 'ada' });
  assert.equal(opsgenieRequest(over, {}).path, `/v2/alerts/${alias}/close?identifierType=alias`);
});

test('messages say what fires, since when, what was measured, and where to look', () => {
  const slack = JSON.stringify(slackMessage(notificationOf(), link));
  for (const text of [
    '[FIRING:1] errors-by-service',
    'high: more than 5 % of requests failed',
    'service=service-1',
    'ratio(level:error) &gt; 5% in 5m, now 5.12 %, since 2024-05-01T12:00:00.001Z',
    `<${link}/#requests?id=4bf92f351|4bf92f351>`,
  ])
    assert.ok(slack.includes(text), `${text} in ${slack}`);
  const { subject, text } = emailMessage(notificationOf([resolvedState(alertState(1))]), link);
  assert.equal(subject, '[RESOLVED] errors-by-service');
  assert.match(text, /resolved: more than 5 % .*until 2024-05-01T12:01:00.001Z/s);
});

test('what senders put into messages is text: no markup, no header, no mention', () => {
  const evil = notificationOf([alertState(1, { message: '<!channel> <https://evil.example|click> *b*' })]);
  assert.ok(!JSON.stringify(slackMessage(evil, link)).includes('<!channel>'));
  const card = teamsMessage(
    notificationOf([alertState(1, { message: '[click](https://evil.example)' })]),
    link,
  );
  assert.ok(!JSON.stringify(card).includes('[click](https'));
  const mail = emailMessage(
    notificationOf([alertState(1, { message: '<script>x</script>' })], {
      groupLabels: { alertname: 'a\r\nBcc: all@example.com' },
    }),
    link,
  );
  assert.ok(!/[\r\n]/.test(mail.subject));
  assert.ok(!mail.html.includes('<script>'));
});
