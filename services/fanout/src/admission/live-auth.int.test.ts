import { tokenProtocol } from '@logloom/auth';
import { TestIssuer } from '@logloom/auth/test-issuer';
import { captureLog, eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { LiveClient, type ServerMessage } from '../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../testing/live-rig.ts';
import { defaultLimits } from './viewer-limits.ts';

interface ViewersJson {
  total: number;
  viewers: {
    id: string;
    subject: string | null;
    subscriptions: { filter: string }[];
    bytes: number;
    events: number;
    eventsPerSecond: number;
    ageMs: { p50: number } | null;
  }[];
  next?: string;
}

const issuer = await TestIssuer.create('key');

describe('with tokens', () => {
  let rig: LiveRig;
  let tier: RunningTier;
  before(async () => {
    rig = await LiveRig.open();
    tier = await rig.start({}, {}, await issuer.authenticate(rig.folder));
  });
  after(() => rig.close());

  const sse = (query: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${tier.port}/live/sse?${query}`, { headers });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const open = async (claims: Record<string, unknown>): Promise<LiveClient> =>
    LiveClient.open(tier.port, { headers: bearer(await issuer.sign(claims)) });

  test('nobody gets in without a valid token', async () => {
    const forged = await (await TestIssuer.create('key')).sign();
    const old = await issuer.sign({}, { seconds: -60 });
    const broken = await issuer.sign({ logloom_filter: 'service:(' });
    for (const [token, status, code] of [
      ['', 401, 'unauthorized'],
      [forged, 401, 'unauthorized'],
      [old, 401, 'token-expired'],
      [broken, 403, 'forbidden'],
    ] as const) {
      const headers: Record<string, string> = token === '' ? {} : bearer(token);
      const response = await sse('', headers);
      const { error } = (await response.json()) as { error: { code: string } };
      assert.deepEqual([response.status, error.code], [status, code]);
      assert.equal(response.headers.get('www-authenticate'), status === 401 ? 'Bearer' : null);
      assert.equal(await upgradeStatus(tier.port, headers), status);
      for (const path of ['/live/poll', '/live/durable'])
        assert.equal((await fetch(`http://127.0.0.1:${tier.port}${path}`, { headers })).status, status);
    }
    const metrics = await tier.telemetry.registry.metrics();
    assert.match(metrics, /refused_requests_total\{port="live",reason="unauthorized"[^}]*\} 8/);
    assert.match(metrics, /refused_requests_total\{port="live",reason="token-expired"[^}]*\} 4/);
  });

  test('operators list the viewers with what each is sent, and end one; tenants do not', async () => {
    const url = `http://127.0.0.1:${tier.port}/api/viewers`;
    const operator = bearer(await issuer.sign({ sub: 'olga' }));
    const tenant = bearer(await issuer.sign({ logloom_filter: 'service:mine' }));
    for (const [headers, status] of [
      [{}, 401],
      [tenant, 403],
    ] as const)
      for (const [method, path] of [
        ['GET', url],
        ['DELETE', `${url}/0123abcd-1`],
      ] as const)
        assert.equal((await fetch(path, { method, headers })).status, status);

    assert.equal((await sse('')).status, 401);
    const ada = await open({ sub: 'ada' });
    const others = [await open({ sub: 'bob' }), await open({ sub: 'carl', logloom_filter: 'service:mine' })];
    await ada.subscribe({ filter: 'level:error' });
    await others[1]!.subscribe({ filter: 'level:error' });
    ada.send({ type: 'subscribe', id: 'b', filter: 'level:(' });
    await ada.first('error');
    await rig.append([rig.event({ level: 'error', service: 'mine' }), rig.event()]);
    await ada.texted(1);

    const list = async (query = '') =>
      (await (await fetch(`${url}?${query}`, { headers: operator })).json()) as ViewersJson;
    const { total, viewers } = await list();
    assert.equal(total, 3);
    assert.deepEqual(
      viewers.map(({ subject }) => subject),
      ['ada', 'bob', 'carl'],
    );
    const [first, second, third] = viewers;
    assert.deepEqual(
      { ...first, id: '', since: '', bytes: 0, eventsPerSecond: 0, ageMs: first!.ageMs!.p50 > 0 },
      {
        id: '',
        transport: 'websocket',
        address: '127.0.0.1',
        subject: 'ada',
        since: '',
        subscriptions: [
          { ids: ['a'], stream: 'events', filter: 'level:error', state: 'live', mode: 'full', behind: 0 },
        ],
        queuedBytes: 0,
        bytes: 0,
        events: 1,
        eventsPerSecond: 0,
        missed: 0,
        gaps: 0,
        ageMs: true,
      },
    );
    assert.ok(first!.bytes > 0 && first!.eventsPerSecond > 0);
    assert.deepEqual([second!.subscriptions, second!.events, second!.ageMs], [[], 0, null]);
    assert.match(third!.subscriptions[0]!.filter, /service:"mine"/);

    const page = await list('limit=2');
    assert.deepEqual([page.viewers.length, page.next], [2, second!.id]);
    assert.deepEqual((await list(`limit=2&cursor=${page.next}`)).viewers[0]!.subject, 'carl');
    assert.deepEqual((await list('limit=0')).viewers, []);
    for (const query of ['limit=1001', 'limit=x', 'cursor=x', 'other=1'])
      assert.equal((await fetch(`${url}?${query}`, { headers: operator })).status, 400, query);

    const end = async (id: string) =>
      (await fetch(`${url}/${id}`, { method: 'DELETE', headers: operator })).status;
    assert.equal(await end('nobody'), 404);
    assert.equal(await end(first!.id), 204);
    const goodbye = await ada.first('goodbye');
    assert.deepEqual([goodbye.reason, goodbye.retryAfterMs], ['ended', 60_000]);
    await eventually('closed', () => ada.closeCode === 1012);
    assert.equal(await end(first!.id), 404);
    assert.equal((await list()).total, 2);
    const metrics = await tier.telemetry.registry.metrics();
    assert.match(metrics, /^logloom_live_ended_viewers_total\{.*\} 1$/m);
    assert.match(metrics, /^logloom_live_errors_total\{reason="bad-filter",.*\} 1$/m);
    assert.match(metrics, /^logloom_event_age_seconds_count\{stage="sent",.*\} 2$/m);
    assert.match(metrics, /^logloom_live_refusals_total\{reason="unauthorized",.*\} [1-9]/m);
    for (const other of others) other.ws.terminate();
    await eventually('gone', async () => (await list()).total === 0);
  });

  test('a token is taken from the header, the subprotocols and the query', async () => {
    const token = await issuer.sign();
    const url = `ws://127.0.0.1:${tier.port}/live`;
    for (const ws of [
      new WebSocket(url, ['logloom.v1'], { headers: bearer(token) }),
      new WebSocket(url, ['logloom.v1', tokenProtocol + token]),
      new WebSocket(`${url}?access_token=${token}`, ['logloom.v1']),
    ]) {
      await new Promise((resolve, reject) => ws.on('message', resolve).on('error', reject));
      assert.equal(ws.protocol, 'logloom.v1');
      ws.terminate();
    }
    for (const response of [await sse('', bearer(token)), await sse(`access_token=${token}`)]) {
      assert.equal(response.status, 200);
      void response.body!.cancel();
    }
  });

  test('an imposed filter holds for every filter, every start and every cursor', async () => {
    const events = Array.from({ length: 60 }, (_, i) =>
      rig.event({ service: i % 3 === 0 ? 'tenant' : 'other', level: i % 2 === 0 ? 'error' : 'info' }),
    );
    await rig.append(events.slice(0, 30), (event) => event.source.offset % LiveRig.partitions);
    const all = await open({});
    // Other tests append to the same log.
    await all.subscribe({ filter: 'service:tenant OR service:other', from: { last: '1h' } });
    await all.texted(30);

    const attempts = [
      '',
      '*',
      'service:other',
      '* OR service:other',
      'service:tenant OR service:other',
      'NOT service:tenant',
      'service:tenant) OR (service:other',
      ') OR (*',
      'NOT (service:tenant AND NOT *)',
      'service:/.*/',
      'level:error OR NOT level:error',
    ];
    const starts = [
      'now',
      { tail: 100 },
      { last: '1h' },
      { cursor: all.messages[1]!.cursor },
      { cursor: all.cursor },
    ];
    const mine = await open({ logloom_filter: 'service:tenant' });
    let id = 0;
    for (const filter of attempts)
      for (const from of starts) mine.send({ type: 'subscribe', id: `${id++}`, filter, from });
    await eventually(
      'a response to each',
      () => new Set(mine.messages.flatMap(({ id }) => id ?? [])).size === id,
    );
    const errors = mine.messages.filter(({ type, code }) => type === 'error' && code !== 'bad-filter');
    assert.deepEqual(errors, []);
    await rig.append(events.slice(30), (event) => event.source.offset % LiveRig.partitions);
    await all.texted(60);
    const wanted = events.filter(({ service }) => service === 'tenant').map(({ message }) => message);
    await eventually('all of its own', () => {
      const texts = new Set(mine.texts);
      return wanted.every((message) => texts.has(message));
    });
    assert.ok(mine.events.every(({ service }) => service === 'tenant'));

    const stream = await sse(
      'filter=service:other%20OR%20*&from=last:1h',
      bearer(await issuer.sign({ logloom_filter: 'service:tenant' })),
    );
    const poll = await fetch(
      `http://127.0.0.1:${tier.port}/live/poll?filter=service:other%20OR%20*&from=last:1h`,
      { headers: bearer(await issuer.sign({ logloom_filter: 'service:tenant' })) },
    );
    const polled = ((await poll.json()) as { events: { service: string }[] }).events;
    assert.ok(polled.length > 0 && polled.every(({ service }) => service === 'tenant'));
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of stream.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (wanted.every((message) => text.includes(`"${message}"`))) break;
    }
    assert.ok(!text.includes('"other"'));
  });

  test('what subscriptions cost is charged to their principal, whichever connection they come by', async () => {
    // What was used is regained so slowly that a slow machine makes no difference.
    const limits = { ...defaultLimits, subscriptions: 10, subscribesPerSecond: 0.01 };
    const { port } = await rig.start({ limits }, {}, await issuer.authenticate(rig.folder));
    const headers = bearer(await issuer.sign({ sub: 'busy' }));
    let refused = 0;
    // A connection may begin 20 at once, a principal 200; each connection begins fewer than it may.
    for (let connection = 0; connection < 30 && refused === 0; connection++) {
      const client = await LiveClient.open(port, { headers });
      for (let i = 0; i < 10; i++) client.send({ type: 'subscribe', id: `${i}`, filter: `service:s${i}` });
      for (let i = 0; i < 10; i++) client.send({ type: 'unsubscribe', id: `${i}` });
      client.send({ type: 'ping' });
      await client.first('heartbeat');
      refused = client.messages.filter(({ code }) => code === 'rate-limited').length;
      client.ws.terminate();
    }
    assert.ok(refused > 0);
    const calm = bearer(await issuer.sign({ sub: 'calm' }));
    const other = await LiveClient.open(port, { headers: calm });
    await other.subscribe({ id: 'a' });
    other.ws.terminate();
  });

  test('one principal does not see the durable names of another', async () => {
    const start = async (sub: string, filter?: string) => {
      const client = await open({ sub, logloom_filter: filter });
      client.send({ type: 'subscribe', id: 'd', durable: 'audit' });
      return { client, subscribed: await client.first('subscribed') };
    };
    const names = async (sub: string) => {
      const headers = bearer(await issuer.sign({ sub }));
      const response = await fetch(`http://127.0.0.1:${tier.port}/live/durable`, { headers });
      return ((await response.json()) as { durable: { name: string }[] }).durable.map(({ name }) => name);
    };
    const first = await start('ada');
    const second = await start('bob', 'service:mine');
    // With the name taken over, the first would be told that it is.
    await rig.append([rig.event({ service: 'mine', message: 'for both' })]);
    for (const { client } of [first, second])
      await eventually('both continue', () => client.texts.includes('for both'));
    assert.ok(first.client.messages.every(({ type }) => type !== 'error'));
    await eventually('started', () => first.subscribed.cursor !== undefined);
    assert.deepEqual(await names('eve'), []);
    for (const { client } of [first, second]) client.ws.terminate();
  });

  test('with AUDIT_READS each subscription is logged with who made it and what it asks for', async () => {
    const log = captureLog();
    const audited = await rig.start(
      { auditReads: true },
      {},
      await issuer.authenticate(rig.folder),
      undefined,
      log,
    );
    const url = `http://127.0.0.1:${audited.port}/live`;
    const ada = bearer(await issuer.sign({ sub: 'ada' }));
    const bob = bearer(await issuer.sign({ sub: 'bob', logloom_filter: 'service:mine' }));
    const client = await LiveClient.open(audited.port, { headers: ada });
    await client.subscribe({ id: 'a', filter: 'level:error' });
    await client.subscribe({ id: 'b', stream: 'correlations' });
    client.send({ type: 'subscribe', id: 'c', filter: 'level:(' });
    await client.first('error');
    const stream = await fetch(`${url}/sse?filter=service:other`, { headers: bob });
    await fetch(`${url}/poll?stream=correlations&filter=eventCount:2&wait=0`, { headers: bob });
    await fetch(`${url}/poll?filter=level:(&wait=0`, { headers: bob });
    void stream.body!.cancel();
    client.ws.terminate();
    await audited.stop();
    const account = log.lines.filter(({ fields }) => fields['security'] === 'read');
    const by = (subject: string) => ({ subject, address: '127.0.0.1' });
    // What the viewer asked for; who may see what stands in its token.
    assert.deepEqual(
      account.map(({ fields }) => fields),
      [
        { security: 'read', what: 'live events', query: 'level:error', ...by('ada') },
        { security: 'read', what: 'live correlations', query: '', ...by('ada') },
        { security: 'read', what: 'live events', query: 'service:other', ...by('bob') },
        { security: 'read', what: 'live correlations', query: 'eventCount:2', ...by('bob') },
      ],
    );
  });

  test('a connection ends with its token', async () => {
    const token = await issuer.sign({}, { seconds: 2 });
    const client = await LiveClient.open(tier.port, { headers: bearer(token) });
    const stream = await sse('', bearer(token));
    await eventually('closed', () => client.closeCode !== undefined);
    assert.equal(client.closeCode, 4401);
    assert.equal(client.messages.at(-1)!.code, 'token-expired');
    assert.match(await stream.text(), /"token-expired"/);
  });
});

describe('limits', () => {
  let rig: LiveRig;
  before(async () => (rig = await LiveRig.open()));
  after(() => rig.close());
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

  test('connections and messages of one address', async () => {
    const { port, tier, stop } = await rig.start({
      trustedProxies: ['loopback'],
      addressLimits: { connections: 2, messagesPerSecond: 20 },
    });
    const clients = [
      await LiveClient.open(port, from('203.0.113.1')),
      await LiveClient.open(port, from('203.0.113.1')),
    ];
    assert.equal(await upgradeStatus(port, from('203.0.113.1').headers), 429);
    const refused = await fetch(`http://127.0.0.1:${port}/live/sse`, from('203.0.113.1'));
    assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'too-many-connections');
    // One party has a whole /64.
    const six = ['2001:db8:1:2::1', '2001:db8:1:2::2'];
    const sixth = await Promise.all(six.map((address) => LiveClient.open(port, from(address))));
    assert.equal(await upgradeStatus(port, from('2001:db8:1:2:3::3').headers), 429);
    const other = await LiveClient.open(port, from('2001:db8:1:3::1'));

    for (let i = 0; i < 200; i++) clients[i % 2]!.send({ type: 'ping' });
    for (const client of clients) await client.first('error', ({ code }) => code === 'rate-limited');
    other.send({ type: 'ping' });
    await other.first('heartbeat');
    clients[0]!.ws.terminate();
    let again: LiveClient | undefined;
    while (again === undefined) {
      if ((await upgradeStatus(port, from('203.0.113.1').headers)) !== 101) continue;
      again = await LiveClient.open(port, from('203.0.113.1')).catch(() => undefined);
    }
    for (const client of [...clients, ...sixth, other, again]) client.ws.terminate();
    assert.equal(tier.admission.refusal(), undefined);
    await stop();
  });

  test('filters, messages and subscriptions of one connection', async () => {
    const limits = {
      messageBytes: 1024,
      subscriptions: 2,
      messagesPerSecond: 1000,
      subscribesPerSecond: 0.001,
      filter: { terms: 2, depth: 1, wildcards: 1 },
    };
    const { port, stop } = await rig.start({ limits });
    const client = await LiveClient.open(port);
    assert.equal((client.messages[0] as ServerMessage & { maxPayload: number }).maxPayload, 1024);
    const errorOf = async (message: unknown, id: string): Promise<string> => {
      client.send(message);
      return (await client.first('error', (error) => error.id === id)).message!;
    };
    const subscribe = (id: string, filter: string) => ({ type: 'subscribe', id, filter });
    assert.match(await errorOf(subscribe('w', 'service:a*b*'), 'w'), /2 wildcards; 1 are allowed/);
    assert.match(await errorOf(subscribe('t', 'a AND b AND c'), 't'), /3 conditions; 2 are allowed/);
    await client.subscribe({ id: 'ok', filter: 'a AND b' });
    assert.match(await errorOf(subscribe('n', 'a OR NOT (b OR c)'), 'n'), /3 conditions; 2 are allowed/);
    assert.match(await errorOf(subscribe('r', 'a'), 'r'), /too many subscribe messages/);
    client.send({ type: 'ping', padding: 'x'.repeat(2000) });
    assert.match((await client.first('error', (e) => e.code === 'message-too-large')).message!, /1024/);
    client.ws.terminate();
    await stop();
  });

  test('viewers who would have to wait in too long a queue', async () => {
    const { port, stop } = await rig.start({ maxHandshakes: 0 });
    assert.equal(await upgradeStatus(port), 503);
    await stop();
    const pages = await rig.start({ allowedOrigins: ['https://logs.example.com'] });
    assert.equal(await upgradeStatus(pages.port, { origin: 'https://logs.example.com' }), 101);
    assert.equal(await upgradeStatus(pages.port, { origin: 'https://evil.example.com' }), 403);
    await pages.stop();
  });
});

/** The HTTP status of a handshake; an open connection is closed again. */
function upgradeStatus(port: number, headers: Record<string, string> = {}): Promise<number> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/live`, { headers });
  return new Promise((resolve, reject) => {
    ws.on('open', () => {
      ws.terminate();
      resolve(101);
    });
    ws.on('unexpected-response', (_, response) => {
      response.resume();
      ws.terminate();
      resolve(response.statusCode!);
    });
    ws.on('error', (error) => reject(error));
  });
}
