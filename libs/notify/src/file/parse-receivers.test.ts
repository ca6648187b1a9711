import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseReceivers, type Receivers } from './parse-receivers.ts';
import { receiversJsonSchema } from './receivers-schema.ts';

const docs = join(import.meta.dirname, '../../../../docs/receivers.md');

function receiversOf(text: string, env: Record<string, string> = {}): Receivers {
  const result = parseReceivers(text, env);
  assert.ok(result.ok, JSON.stringify(result));
  return result.receivers;
}

function problemsOf(text: string, env: Record<string, string> = {}): string[] {
  const result = parseReceivers(text, env);
  assert.ok(!result.ok, 'it has problems');
  return result.problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
}

test('all problems of a file come at once, each with its place and code', () => {
  const text = `link: console
receivers:
  - name: chat
    slack: { url: 'ftp://x' }
  - name: chat
    webhook:
      url: \${HOOK_URL}
      body: '{{ alerts | nofilter }}'
      timeout: 5 minutes
      retries: 3
  - name: both
    slack: { url: https://hooks.example.com/a }
    teams: { url: https://hooks.example.com/b }
  - name: no good
  - name: mail
    email: { server: 'https://mail', from: nobody, to: [] }
routes:
  - receiver: chat
    match: [severity="high", 'team~shop', 'x=~"("']
    groupWait: 2h
    routes:
      - receiver: nobody
  - match: { severity: low }
    colour: red
`;
  const expected = [
    /^1:7 bad-receiver link: is not an http or https URL/,
    /^4:19 bad-receiver receivers\[0\]\.slack\.url: is not an http or https URL/,
    /^5:11 bad-receiver another receiver has the name chat/,
    /^7:12 missing-secret \$\{HOOK_URL\}: neither HOOK_URL nor HOOK_URL_FILE is set/,
    /^8:13 bad-template receivers\[1\]\.webhook\.body: .*nofilter/,
    /^9:16 bad-receiver receivers\[1\]\.webhook\.timeout: is a whole number with/,
    /^10:7 bad-receiver receivers\[1\]\.webhook: unrecognized key: "retries"/,
    /^11:5 bad-receiver receivers\[2\]: has exactly one of webhook, slack/,
    /^14:11 bad-receiver receivers\[3\]\.name: a name is/,
    /^16:22 bad-receiver receivers\[4\]\.email\.server: is not smtp/,
    /^16:44 bad-receiver receivers\[4\]\.email\.from: is no address/,
    /^16:56 bad-receiver receivers\[4\]\.email\.to: /,
    /^19:12 bad-route routes\[0\]\.match/,
    /^20:16 bad-route routes\[0\]\.groupWait: is at most 1h/,
    /^22:19 bad-route routes\[0\]\.routes\[0\]\.receiver: there is no receiver nobody/,
    /^23:5 bad-route routes\[1\]: has no receiver/,
    /^24:5 bad-route routes\[1\]: unrecognized key: "colour"/,
  ];
  const problems = problemsOf(text);
  for (const pattern of expected)
    assert.ok(
      problems.some((problem) => pattern.test(problem)),
      `${pattern} in\n${problems.join('\n')}`,
    );
  assert.deepEqual(
    problemsOf('receivers: [').map((problem) => problem.split(' ')[1]),
    ['bad-receivers-yaml'],
  );
});

test('variables stand for secrets, which may be in files, and no problem shows them', () => {
  using folder = temporaryFolder('receivers');
  const file = join(folder.path, 'key');
  writeFileSync(file, 'from-a-file\n');
  const text = `receivers:
  - name: oncall
    pagerduty: { routingKey: '\${PD_KEY}' }
  - name: hook
    webhook:
      url: https://user:\${PASS}@hooks.example.com
      headers: { authorization: 'Bearer \${PD_KEY}' }
      body: 'not \${PASS}'
routes: [{ receiver: oncall }]
`;
  const env = { PD_KEY_FILE: file, PASS: 'pass-word' };
  const { receivers, secrets, unused } = receiversOf(text, env);
  assert.equal(receivers.get('oncall')?.pagerduty?.routingKey, 'from-a-file');
  const { url, headers, body } = receivers.get('hook')!.webhook!;
  assert.deepEqual(
    [url, headers, body],
    ['https://user:pass-word@hooks.example.com', { authorization: 'Bearer from-a-file' }, 'not ${PASS}'],
  );
  assert.deepEqual(new Set(secrets), new Set(['from-a-file', 'pass-word']));
  assert.deepEqual(unused, ['hook']);
  const wrong = problemsOf(text.replace('https://user', 'ftp://user'), env);
  assert.equal(wrong.length, 1);
  assert.ok(!/pass-word|from-a-file/.test(wrong.join()));
  const missing = problemsOf(text, { PD_KEY_FILE: join(folder.path, 'none'), PASS: 'x' });
  assert.equal(missing.length, 2);
  assert.match(missing[0]!, /PD_KEY_FILE names cannot be read \(ENOENT\)/);
});

test('what a file has as a secret, in the open, is known as one', () => {
  const { secrets } = receiversOf(`receivers:
  - { name: a, pagerduty: { routingKey: routing-key-1 } }
  - { name: b, slack: { url: https://hooks.example.com/services/T0/B0/abc } }
  - { name: c, webhook: { url: 'https://u:pass-word@example.com', secret: signing-key } }
routes: [{ receiver: a }]
`);
  assert.deepEqual(
    new Set(secrets),
    new Set(['routing-key-1', 'https://hooks.example.com/services/T0/B0/abc', 'pass-word', 'signing-key']),
  );
});

test('the JSON schema for editors is up to date', () => {
  const path = join(import.meta.dirname, '../../receivers.schema.json');
  assert.deepEqual(
    JSON.parse(readFileSync(path, 'utf8')),
    receiversJsonSchema(),
    'node libs/notify/src/file/write-schema.ts writes it',
  );
});

test('every example of the docs is a receivers file', () => {
  const blocks = [...readFileSync(docs, 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text!);
  const files = blocks.filter((text) => /^receivers:/m.test(text));
  assert.ok(files.length > 0);
  const env = new Proxy({}, { get: () => 'x'.repeat(32), has: () => true }) as Record<string, string>;
  for (const text of files) {
    const withUrls = text.replaceAll(/url: '?\$\{\w+\}'?/g, 'url: https://hooks.example.com/x');
    const result = parseReceivers(withUrls, env);
    assert.ok(result.ok, `${JSON.stringify(result)}\n${text}`);
  }
});
