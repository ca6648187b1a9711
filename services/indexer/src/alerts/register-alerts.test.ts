import type { Authenticate, Principal } from '@logloom/auth';
import { parseFilter } from '@logloom/filter';
import { alertFingerprint, topics, type Alert } from '@logloom/schemas';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertRecord, windowRecord } from '../testing/alert-records.ts';
import { openApiRig } from '../testing/api-rig.ts';

/** The API over a log in a folder of its own; `nowMs` is its clock. */
async function openApi(authenticate?: Authenticate) {
  const clock = { nowMs: Date.now() };
  const rig = await openApiRig({
    nowMs: () => clock.nowMs,
    ...(authenticate === undefined ? {} : { authenticate }),
  });
  const { app, log, serde } = rig;
  const call = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => {
    const response = await app.inject({
      method,
      url: `/api/${path}`,
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: response.statusCode, body: (response.body === '' ? {} : response.json()) as Answer };
  };
  return {
    ...rig,
    clock,
    get: (path: string, query: Record<string, string> = {}) =>
      call('GET', `${path}?${new URLSearchParams(query).toString()}`),
    post: (path: string, body: object) => call('POST', path, body),
    del: (path: string) => call('DELETE', path),
    append: (alerts: readonly Alert[], partition = 0) =>
      log.append(
        topics.alerts,
        alerts.map((each) => ({ partition, key: null, value: serde.encode('Alert', each) })),
      ),
  };
}

/** As much of any answer as the tests look at. */
interface Answer {
  total: object;
  alerts: {
    id?: string;
    fingerprint: string;
    rule: string;
    state: string;
    silencedBy: string[];
    acknowledged?: object;
  }[];
  groups: object[];
  history: { type: string; rule?: string; state?: string; author?: string; reason?: string }[];
  silences: { id: string; state: string }[];
  id: string;
  state: string;
  next?: string;
  error: { code: string; parameter?: string };
  [field: string]: unknown;
}

const service = (name: string, n: number, state: string): Alert =>
  windowRecord(n, state, {
    key: { service: name },
    fingerprint: alertFingerprint('rate', { service: name }),
  });

test('alerts are listed by state, filtered, grouped and paged; without a state the raised ones are', async () => {
  await using api = await openApi();
  await api.append([
    service('payment', 1, 'firing'),
    service('web', 2, 'pending'),
    service('orders', 3, 'firing'),
  ]);
  await api.append([service('search', 4, 'firing'), service('search', 5, 'resolved'), alertRecord(1)], 1);
  const list = async (query: Record<string, string>): Promise<string[]> =>
    (await api.get('alerts', query)).body.alerts.map((alert) => {
      const labels = (alert as unknown as { labels: Record<string, string> }).labels;
      return `${alert.state} ${labels['service'] ?? alert.rule}`;
    });
  assert.deepEqual(await list({ state: 'firing,pending' }), [
    'firing orders',
    'firing payment',
    'firing errors',
    'pending web',
  ]);
  assert.deepEqual(await list({ state: 'resolved' }), ['resolved search']);
  for (const [q, found] of [
    ['service:pay*', ['firing payment']],
    ['team:shop AND NOT labels.service:*', ['firing errors']],
    ['severity:high AND value:>102', ['firing orders']],
    ['matched AND rule:errors', ['firing errors']],
    ['alertname:nothing', []],
  ] as const)
    assert.deepEqual(await list({ state: 'firing', q }), found, q);
  const { body } = await api.get('alerts', { state: 'firing', by: 'team,service', limit: '0' });
  assert.deepEqual(body.total, { value: 3, exact: true });
  assert.deepEqual(
    (body.groups as { labels: object; firing: number }[]).map(({ labels, firing }) => ({
      ...labels,
      firing,
    })),
    [
      { team: 'shop', service: 'orders', firing: 1 },
      { team: 'shop', service: 'payment', firing: 1 },
      { team: 'shop', service: '', firing: 1 },
    ],
  );
  const pages: string[] = [];
  let cursor: string | undefined;
  do {
    const page = (
      await api.get('alerts', { state: 'firing', limit: '1', ...(cursor === undefined ? {} : { cursor }) })
    ).body;
    pages.push(...page.alerts.map(({ fingerprint }) => fingerprint));
    cursor = page.next;
  } while (cursor !== undefined);
  assert.deepEqual([pages.length, new Set(pages).size], [3, 3]);
  const raised = (await api.get('alerts')).body.alerts;
  assert.deepEqual(raised.map(({ id }) => id).sort(), ['errors-1', 'rate-1', 'rate-3', 'rate-4']);
  assert.equal(raised.find(({ id }) => id === 'errors-1')!.fingerprint, alertFingerprint('errors'));
  const one = await api.get(`alerts/${alertFingerprint('errors')}`);
  assert.deepEqual([one.status, one.body.state], [200, 'firing']);
});

test('a silence is made, holds alerts back, ends, and stays visible for a while', async () => {
  await using api = await openApi();
  await api.append([alertRecord(1), service('payment', 2, 'firing')]);
  const made = await api.post('silences', {
    matchers: ['service=payment'],
    duration: '1h',
    reason: ' deploy ',
    author: 'ada',
  });
  assert.equal(made.status, 201);
  const { id } = made.body;
  assert.deepEqual(
    [made.body.state, made.body['reason'], made.body['author'], made.body['matchers']],
    ['active', 'deploy', 'ada', ['service=payment']],
  );
  const silenced = async (): Promise<string[]> =>
    (await api.get('alerts', { state: 'firing', q: 'silenced:true' })).body.alerts.map(({ rule }) => rule);
  assert.deepEqual(await silenced(), ['rate']);
  assert.equal((await api.del('silences')).status, 400);
  assert.equal((await api.del('silences?id=none')).status, 404);
  assert.equal((await api.del(`silences?id=${id}`)).status, 204);
  assert.equal((await api.del(`silences/${id}`)).status, 204, 'again');
  assert.deepEqual(await silenced(), []);
  const { body } = await api.get(`silences/${id}`);
  assert.deepEqual([body.state, body['endedBy']], ['expired', 'anonymous']);
  assert.deepEqual((await api.get('silences', { state: 'active,pending' })).body.silences, []);
  api.clock.nowMs += 6 * 86_400_000;
  assert.deepEqual((await api.get('silences')).body.silences, []);
  assert.equal((await api.get(`silences/${id}`)).status, 404);
});

test('a maintenance window comes back every week', async () => {
  await using api = await openApi();
  await api.append([service('payment', 2, 'firing')]);
  api.clock.nowMs = Date.parse('2096-03-09T11:30:00Z');
  const window = { days: ['fri'], from: '12:00', to: '14:00' };
  const made = await api.post('silences', {
    matchers: ['service=payment'],
    windows: [window],
    timeZone: 'Europe/Berlin',
    reason: 'backup',
  });
  assert.deepEqual([made.status, made.body.state, made.body['windows']], [201, 'active', [window]]);
  const stateAt = async (time: string): Promise<string> => {
    api.clock.nowMs = Date.parse(time);
    return (await api.get(`silences/${made.body.id}`)).body.state;
  };
  assert.equal(await stateAt('2096-03-09T13:00:00Z'), 'pending');
  assert.equal(await stateAt('2096-03-16T11:00:00Z'), 'active');
});

test('an alert is acknowledged with a note, by whom; one that is resolved is not', async () => {
  await using api = await openApi();
  await api.append([
    service('payment', 1, 'firing'),
    service('web', 2, 'firing'),
    service('web', 3, 'resolved'),
  ]);
  const fingerprint = alertFingerprint('rate', { service: 'payment' });
  const { status } = await api.post(`alerts/${fingerprint}/acknowledge`, {
    note: 'looking',
    author: 'grace',
  });
  assert.equal(status, 201);
  const { acknowledged } = (await api.get('alerts', { state: 'firing', q: 'acknowledged:true' })).body
    .alerts[0]!;
  assert.deepEqual({ ...acknowledged, at: '' }, { author: 'grace', note: 'looking', at: '' });
  const resolved = await api.post(`alerts/${alertFingerprint('rate', { service: 'web' })}/acknowledge`, {});
  assert.deepEqual([resolved.status, resolved.body.error.code], [409, 'alert-resolved']);
  assert.equal((await api.post('alerts/0123456789abcdef/acknowledge', {})).status, 404);
});

test('everything is in the history, searchable and paged, the newest first', async () => {
  await using api = await openApi();
  await api.append([service('payment', 1, 'firing')]);
  await api.append([alertRecord(1)], 1);
  await api.post(`alerts/${alertFingerprint('errors')}/acknowledge`, { note: 'flaky disk' });
  const { body: silence } = await api.post('silences', {
    matchers: ['alertname=errors'],
    duration: '1h',
    reason: 'known',
  });
  await api.del(`silences/${silence.id}`);
  await api.append([service('payment', 2, 'resolved')]);
  const texts = (answer: Answer): string[] =>
    answer.history.map(({ type, rule, state }) => [type, rule, state].filter(Boolean).join(' '));
  const whole = texts((await api.get('alerts/history')).body);
  assert.deepEqual(whole.slice(0, 4), [
    'alert rate resolved',
    'silence',
    'silence',
    'acknowledgement errors',
  ]);
  assert.deepEqual(whole.slice(4).sort(), ['alert errors firing', 'alert rate firing']);
  for (const [q, found] of [
    ['type:silence', 2],
    ['service:payment AND state:resolved', 1],
    ['flaky', 1],
    [`fingerprint:${alertFingerprint('errors')}`, 2],
    ['rule:nothing', 0],
  ] as const)
    assert.equal((await api.get('alerts/history', { q })).body.history.length, found, q);
  const paged: string[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await api.get('alerts/history', {
      limit: '1',
      ...(cursor === undefined ? {} : { cursor }),
    });
    paged.push(...texts(body));
    cursor = body.next;
  } while (cursor !== undefined);
  assert.deepEqual(paged, whole);
  assert.deepEqual((await api.get('alerts/history', { to: '2020-01-01T00:00:00Z' })).body.history, []);
});

test('a token says who it is, whatever the body says; one with an imposed filter may do nothing here', async () => {
  const filter = parseFilter('service:web');
  assert.ok(filter.ok);
  let principal: Principal = { name: 'grace', subject: 'issuer grace' };
  await using api = await openApi(async () => ({ ok: true, principal }));
  await api.append([alertRecord(1)]);
  const silence = { matchers: ['alertname=errors'], duration: '1h', reason: 'deploy', author: 'somebody' };
  const { body } = await api.post('silences', silence);
  assert.equal(body['author'], 'grace');
  const path = `alerts/${alertFingerprint('errors')}`;
  await api.post(`${path}/acknowledge`, { author: 'somebody' });
  const { acknowledged } = (await api.get(path)).body as unknown as { acknowledged: { author: string } };
  assert.equal(acknowledged.author, 'grace');
  principal = { name: 'tenant', subject: 'issuer tenant', filter: filter.filter };
  for (const refused of [
    await api.get('alerts', { state: 'firing' }),
    await api.get('alerts/history'),
    await api.get(path),
    await api.get('silences'),
    await api.post('silences', silence),
    await api.post(`${path}/acknowledge`, {}),
    await api.del(`silences/${body.id}`),
  ])
    assert.deepEqual([refused.status, refused.body.error.code], [403, 'forbidden']);
});

test('what cannot be a silence is refused, and what is wrong with it is named', async () => {
  await using api = await openApi();
  const good = { matchers: ['service=payment'], duration: '1h', reason: 'deploy' };
  for (const [wrong, parameter] of [
    [{ matchers: [] }, 'matchers'],
    [{ matchers: ['service'] }, 'matchers'],
    [{ matchers: ['service=~('] }, 'matchers'],
    [{ matchers: ['service=~.*'] }, 'matchers'],
    [{ duration: undefined }, 'endsAt'],
    [{ duration: 'long' }, 'duration'],
    [{ endsAt: 'now+1h' }, 'duration'],
    [{ duration: undefined, endsAt: 'now-1h' }, 'endsAt'],
    [{ startsAt: 'tomorrow' }, 'startsAt'],
    [{ reason: ' ' }, 'reason'],
    [{ author: '' }, 'author'],
    [{ windows: [{ days: ['friday'], from: '10:00', to: '11:00' }] }, 'windows'],
    [{ windows: [{ days: ['fri'], from: '10', to: '11:00' }] }, 'windows'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ endAt: 'now+1h' }, 'endAt'],
    [{ duration: undefined, endsAt: 99999999999999999 }, 'endsAt'],
    [{ startsAt: ['now'] }, 'startsAt'],
    [{ duration: undefined, endsAt: 'tomorrow' }, 'endsAt'],
    [{ duration: undefined, startsAt: 'now+2h', endsAt: 'now+1h' }, 'startsAt'],
  ] as const) {
    const { status, body } = await api.post('silences', { ...good, ...wrong });
    assert.deepEqual(
      [status, body.error.code, body.error.parameter],
      [400, 'bad-parameter', parameter],
      JSON.stringify(wrong),
    );
  }
  const endsAt = api.clock.nowMs + 60_000;
  assert.equal(
    (await api.post('silences', { ...good, duration: undefined, endsAt })).status,
    201,
    'milliseconds as a number',
  );
  assert.equal((await api.get('alerts', { state: 'burning' })).body.error.parameter, 'state');
  assert.equal((await api.get('alerts', { by: 'team' })).body.error.parameter, 'by');
  assert.equal((await api.get('alerts', { cursor: 'x' })).body.error.parameter, 'cursor');
  assert.equal((await api.del('silences/none')).status, 404);
});
