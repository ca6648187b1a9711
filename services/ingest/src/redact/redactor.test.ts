import type { LogEvent, Source } from '@logloom/schemas';
import { parseSettings } from '../settings.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Normalizer } from '../event/normalize.ts';
import { readEvent } from '../event/read-event.ts';
import { isCardNumber } from './redact-text.ts';
import { createRedactor } from './redactor.ts';

const source: Source = { kind: 'http', topic: 't', partition: 0, offset: 0, index: 0 };
const settings = parseSettings({
  INGEST_REDACT: 'card,token,email',
  INGEST_REDACT_FIELDS: 'password,*_secret,user.ssn',
  INGEST_REDACT_PATTERNS: 'staff=\\bEMP-\\d{6}\\b',
});
const counts = new Map<string, number>();
const redactor = createRedactor(settings, (rule) => counts.set(rule, (counts.get(rule) ?? 0) + 1))!;
const normalizer = new Normalizer([]);
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';

function redacted(object: unknown): LogEvent {
  const event = readEvent(JSON.stringify(object), source, Date.now(), normalizer);
  assert.ok(!('code' in event), JSON.stringify(event));
  return redactor.event(event);
}

test('secrets are replaced by the name of their rule, and counted', () => {
  counts.clear();
  const event = redacted({
    message: `card 12 4111 1111 1111 1111 of ada@example.com, Bearer abcdefgh12345, ${jwt}, EMP-123456`,
    service: 'shop',
    sessionId: 'ada@example.com',
    password: { old: 'a' },
    deep: [{ PASSWORD: 'b', client_secret: 'c' }],
    user: { ssn: '1', name: 'x' },
    ssn: 'kept',
    number: 4111111111111111,
    'ada@example.com': 1,
    time_ms: 1764097622000,
  });
  assert.equal(
    event.message,
    'card 12 [redacted:card] of [redacted:email], [redacted:token], [redacted:token], [redacted:staff]',
  );
  assert.deepEqual(JSON.parse(event.attributes), {
    sessionId: '[redacted:email]',
    password: '[redacted:field]',
    deep: [{ PASSWORD: '[redacted:field]', client_secret: '[redacted:field]' }],
    user: { ssn: '[redacted:field]', name: 'x' },
    ssn: 'kept',
    number: '[redacted:card]',
    '[redacted:email]': 1,
    time_ms: 1764097622000,
  });
  assert.deepEqual(
    [event.correlationId, event.correlationKind],
    [null, null],
    'no group of all that is redacted',
  );
  assert.ok(counts.get('card')! >= 2 && counts.get('field') === 4 && counts.get('staff') === 1);
});

test('tokens are known by what their providers put in front, wherever they stand', () => {
  // Put together here: what scans this repository for secrets need not find any.
  const letters = 'aB3'.repeat(12);
  const tokens = [
    `ghp_${letters}`,
    `github_pat_${letters}`,
    `glpat-${letters}`,
    `AKIA${'A1'.repeat(8)}`,
    `xoxb-${'1'.repeat(12)}-${letters}`,
    `sk_live_${letters}`,
    `AIza${letters.slice(0, 35)}`,
    `npm_${letters}`,
    `SG.${letters}.${letters}`,
    `sk-ant-${letters}-_x`,
    `sk-${letters}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${letters}\n${letters}=\n-----END RSA PRIVATE KEY-----`,
  ];
  for (const token of tokens) {
    assert.equal(redacted({ message: `key=${token}; next` }).message, 'key=[redacted:token]; next', token);
    assert.ok(
      !redactor
        .payload(Buffer.from(`{"broken":"${token}"`))
        .toString()
        .includes(token),
      token,
    );
  }
  assert.equal(
    redacted({ message: 'GET https://ada:pa55-w0rd@db.example.com/x' }).message,
    'GET https://[redacted:token]@db.example.com/x',
  );
  for (const message of [
    'sk-learn-is-a-very-long-package-name',
    'risk_live_0123456789abcdef0',
    'a://b:80/@c',
  ])
    assert.equal(redacted({ message }).message, message);
});

test('fields are found in a structured message, in JSON within texts, in pairs and where they are assigned', () => {
  const hidden = 'hunter2';
  const nested = JSON.stringify({ a: JSON.stringify({ password: hidden, kept: 1 }) });
  for (const [object, wanted] of [
    [{ message: { password: hidden, kept: 1 } }, '{"password":"[redacted:field]","kept":1}'],
    [{ message: { user: { ssn: hidden } } }, '{"user":{"ssn":"[redacted:field]"}}'],
    [{ message: [{ password: hidden }] }, '[{"password":"[redacted:field]"}]'],
    [{ message: JSON.stringify({ password: hidden }) }, '{"password":"[redacted:field]"}'],
    [{ message: nested }, JSON.stringify({ a: '{"password":"[redacted:field]","kept":1}' })],
    [{ message: `login password=${hidden} ok` }, 'login password=[redacted:field] ok'],
    [{ message: `GET /x?password=${hidden}&a=1` }, 'GET /x?password=[redacted:field]&a=1'],
    [
      { message: `body {"password": "${hidden}\\" x", "a":1} end` },
      'body {"password": "[redacted:field]", "a":1} end',
    ],
    [
      { message: `body \\"password\\":\\"${hidden}\\", end` },
      'body \\"password\\":\\"[redacted:field]\\", end',
    ],
    [{ message: `x='${hidden}' "my_secret":'${hidden}'` }, `x='${hidden}' "my_secret":'[redacted:field]'`],
    [{ message: `a%26password%3D${hidden}%26b` }, 'a%26password%3D[redacted:field]%26b'],
    [{ message: 'password: reset it, passwords=2' }, 'password: reset it, passwords=2'],
  ] as const)
    assert.equal(redacted(object).message, wanted, JSON.stringify(object));
  const { attributes } = redacted({
    m: 1,
    headers: [
      { name: 'password', value: hidden },
      { Key: 'my_secret', Value: { stringValue: hidden } },
    ],
    text: nested,
    list: [JSON.stringify([{ password: hidden }]), `password=${hidden}`],
  });
  assert.ok(!attributes.includes(hidden), attributes);
});

test('cards and tokens are found however their parts are joined or encoded', () => {
  const nbsp = '\u00a0';
  for (const [message, wanted] of [
    ['4111.1111.1111.1111', '[redacted:card]'],
    [['4111', '1111', '1111', '1111'].join(nbsp), '[redacted:card]'],
    ['3782.822463.10005 x', '[redacted:card] x'],
    ['4111\u20101111\u20131111\u20111111', '[redacted:card]'],
    ['4111\u202f1111\u20091111\t1111', '[redacted:card]'],
    ['card=4111%201111%201111%201111&x=a%20b', 'card=[redacted:card]&x=a%20b'],
    ['card=4111+1111+1111+1111+', 'card=[redacted:card]+'],
    ['4111%C2%A01111%C2%A01111%C2%A01111', '[redacted:card]'],
    ['4111%25201111%25201111%25201111', '[redacted:card]'],
    ['%34%31%31%31111111111111', '[redacted:card]'],
    ['Authorization=Bearer%20abcdefgh12345&x', 'Authorization=[redacted:token]&x'],
    ['Bearer+abcdefgh12345', '[redacted:token]'],
    [`Bearer${nbsp}abcdefgh12345`, '[redacted:token]'],
    ['bearer:abcdefgh12345', '[redacted:token]'],
    ['to ada%40example.com;', 'to [redacted:email];'],
    ['u=https%3A%2F%2Fada%3Apa55%40db%2Fx', 'u=https%3A%2F%2F[redacted:token]%40db%2Fx'],
  ] as const)
    assert.equal(redacted({ message }).message, wanted, message);
  for (const message of [
    'pi is 3.14159265358979, 0.4111111111111111, 4111111.111111111',
    '10.41.11.11 411.111.111.111.1111',
    '100%25 of 4111%201111%201111%201112',
    'a+b %zz %e2%28',
  ])
    assert.equal(redacted({ message }).message, message);
});

test('what holds no secret stays as it is', () => {
  const object = {
    message: 'order 4111111111111112 at 12:30',
    requestId: 'r-1',
    a: { b: [1, null, 'x\ny'] },
  };
  const event = readEvent(JSON.stringify(object), source, 1, normalizer) as LogEvent;
  assert.deepEqual(redactor.event(event), event);
  for (const payload of ['{"a": 1 , "b":"x"}', 'no json', '[1,'])
    assert.equal(redactor.payload(Buffer.from(payload)).toString(), payload);
  assert.equal(
    createRedactor(parseSettings({}), () => {}),
    undefined,
  );
});

test('dead letters: JSON, broken JSON, text and binary', () => {
  const of = (payload: string | Buffer) =>
    redactor.payload(Buffer.from(payload as string)).toString('latin1');
  assert.equal(of('{"time":"x","password":"hunter2"}'), '{"time":"x","password":"[redacted:field]"}');
  assert.equal(of('{"a":"\\u00341111111\\u00311111111"}'), '{"a":"[redacted:card]"}');
  assert.equal(of('{"message":"m","password": "hun\\"ter2", "b":'), '{"message":"m","[redacted:field], "b":');
  assert.equal(of('<34> login my_secret=hunter2 ok'), '<34> login [redacted:field] ok');
  assert.equal(
    of('{"attributes":[{"key":"password","value":{"stringValue":"hunter2"}}]}'),
    '{"attributes":[{"key":"password","value":"[redacted:field]"}]}',
  );
  const binary = Buffer.from(`\u0000\u0001\u0010ada@example.com\u0000`, 'latin1');
  assert.equal(redactor.payload(binary).length, binary.length, 'lengths in it stay right');
  assert.ok(!redactor.payload(binary).includes('ada@'));
});

test('a card number is found behind zeros, as where a trace id of 64 bits is given its 128', () => {
  const event = redacted({ traceId: '4111111111111111', message: 'order 00004111111111111111' });
  assert.doesNotMatch(JSON.stringify(event), /4111111111111111/);
});

const card = fc
  .integer({ min: 0, max: 999_999_999_999 })
  .map((n) => Array.from({ length: 10 }, (_, check) => `411${String(n).padStart(12, '0')}${check}`))
  .map((numbers) => numbers.find(isCardNumber)!)
  .chain((digits) =>
    fc.constantFrom(digits, digits.replace(/(.{4})(?!$)/g, '$1 '), digits.replace(/(.{4})(?!$)/g, '$1-')),
  );
const secret = fc.oneof(
  card,
  fc.stringMatching(/^[a-z]{1,20}@[a-z]{1,20}\.com$/),
  fc.stringMatching(/^eyJ[a-z0-9]{5,30}\.[a-z0-9]{5,30}\.[a-z0-9]{5,30}$/),
  fc.stringMatching(/^EMP-[0-9]{6}$/),
);

test('no secret stays in any place of an event or of a dead letter', () => {
  const place = fc.constantFrom(
    'message',
    'service',
    'host',
    'requestId',
    'traceId',
    'sessionId',
    'user',
    'x.y',
  );
  const around = fc.constantFrom('', ' ', '"', '\n', '\\', ' 12 ', ', ', '(', '\t');
  fc.assert(
    fc.property(secret, place, around, around, fc.boolean(), (hidden, name, before, after, nested) => {
      const text = before + hidden + after;
      const object = { m: 1, [name]: nested && name === 'user' ? [{ deep: text, [text]: text }] : text };
      const json = JSON.stringify(redacted(object));
      assert.ok(!json.includes(hidden), json);
      for (const letter of [JSON.stringify(object), JSON.stringify(object).slice(0, -1), `\0${text}`])
        assert.ok(!redactor.payload(Buffer.from(letter)).includes(hidden), letter);
    }),
    { numRuns: 1000 },
  );
});
