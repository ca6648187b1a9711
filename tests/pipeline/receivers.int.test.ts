import { startHttpReceiver, status, type Taken } from '@logloom/notify/testing';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

async function run(pipeline: Pipeline, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...pipeline.env, ...env },
    cwd: pipeline.dataFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, out, err };
}

interface Message {
  status: string;
  alerts: { status: string; labels: Record<string, string>; examples: string[] }[];
}

const messages = (taken: readonly Taken[]): Message[] => taken.map(({ body }) => JSON.parse(body) as Message);
const secret = 'a-token-that-nobody-may-see';

test('from a rule to people: a message, its end, a dead letter that is redriven, and no secret anywhere', async (t) => {
  await using hook = await startHttpReceiver();
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '300',
    CORRELATION_RULES: 'rules.yaml',
    RECEIVERS: 'receivers.yaml',
    RECEIVERS_ALLOWED_HOSTS: '127.0.0.1',
    HOOK_TOKEN_FILE: 'token',
  });
  const write = (name: string, content: string): void =>
    writeFileSync(join(pipeline.dataFolder, name), content);
  write('token', `${secret}\n`);
  write(
    'rules.yaml',
    `rules:
  - { name: failed, when: 'level:error', alert: true, close: true, severity: high, labels: { team: shop }, resolve: 2s }
`,
  );
  const receivers = (url: string): string => `receivers:
  - name: oncall
    webhook: { url: '${url}', headers: { authorization: 'Bearer \${HOOK_TOKEN}' }, secret: signing-key-1 }
routes:
  - receiver: oncall
    match: [team="shop"]
    groupWait: 50ms
    groupInterval: 50ms
    repeatInterval: 1h
`;

  await t.test('receivers check lists every problem; a start with them stops with these', async () => {
    write('receivers.yaml', 'receivers: [{ name: a, slack: { url: x } }]\nroutes: [{ receiver: b }]\n');
    const checked = await run(pipeline, ['receivers', 'check', 'receivers.yaml']);
    assert.equal(checked.code, 1);
    assert.match(
      checked.out,
      /^receivers\.yaml:1:38: .*slack\.url: .*\(bad-receiver\)\nreceivers\.yaml:2:22: .*no receiver b \(bad-route\)$/m,
    );
    const ended = await run(pipeline, ['up']);
    assert.equal(ended.code, 2);
    assert.match(ended.err, /receivers\.yaml:2:22: .*\(bad-route\)/);
    write('receivers.yaml', receivers(hook.url));
    const good = await run(pipeline, ['receivers', 'check', 'receivers.yaml', '--json']);
    assert.equal(good.code, 0);
    assert.deepEqual((JSON.parse(good.out) as { receivers: string[] }).receivers, ['oncall']);
  });

  await t.test('receivers test sends an alert and its end, and only where it may', async () => {
    const sent = await run(pipeline, ['receivers', 'test', 'oncall', '--resolve']);
    assert.deepEqual([sent.code, sent.out], [0, 'oncall has taken the test alert, and its end\n']);
    assert.deepEqual(
      messages(hook.taken).map((message) => message.status),
      ['firing', 'resolved'],
    );
    assert.equal(hook.taken[0]?.headers.authorization, `Bearer ${secret}`);
    const refused = await run(pipeline, ['receivers', 'test', 'oncall'], {
      RECEIVERS_ALLOWED_HOSTS: '10.0.0.0/8',
    });
    assert.equal(refused.code, 2);
    assert.match(
      refused.err,
      /oncall was not told: 127\.0\.0\.1 has a private, loopback or link-local address/,
    );
    assert.equal((await run(pipeline, ['receivers', 'test', 'nobody'])).code, 2);
    assert.equal(hook.taken.length, 2);
  });

  hook.taken.length = 0;
  await pipeline.start();
  const fail = (service: string): Promise<unknown> =>
    pipeline.ingest(
      JSON.stringify({ level: 'error', service, message: 'failed', traceId: crypto.randomUUID() }),
    );

  await t.test('a rule that matches is told, and so is its end', async () => {
    await fail('payment');
    await eventually('it was told', () => hook.taken.length >= 1);
    const [message] = messages(hook.taken);
    assert.equal(message?.status, 'firing');
    assert.deepEqual(
      { ...message?.alerts[0]?.labels },
      { alertname: 'failed', severity: 'high', team: 'shop' },
    );
    assert.ok(message.alerts[0]!.examples.length > 0);
    assert.match(String(hook.taken[0]?.headers['webhook-signature']), /^v1,/);
    // The log's clock goes on with what is appended.
    await eventually('its end was told', async () => {
      await pipeline.ingest(
        JSON.stringify({ level: 'info', service: 'other', message: 'fine', traceId: crypto.randomUUID() }),
      );
      return messages(hook.taken).some(({ status: state }) => state === 'resolved');
    });
  });

  await t.test('what a receiver refuses is a dead letter, and is redriven', async () => {
    hook.answerWith(status(403, {}, 'who are you'));
    await fail('payment');
    await eventually('it is dead', async () => {
      const { counts } = await pipeline.get<{ counts: Record<string, { failed: number }> }>(
        '/api/jobs?name=notification',
      );
      return counts['notification']!.failed > 0;
    });
    const listed = await run(pipeline, ['redrive', '--notifications', '--dry-run']);
    assert.match(
      listed.out,
      /^[1-9]\d* messages would be sent again\n.*oncall was not told: http:\/\/127\.0\.0\.1:\d+ answered 403: who are you/s,
    );
    hook.answerWith(status(200));
    hook.taken.length = 0;
    const redriven = await run(pipeline, ['redrive', '--notifications', '--json']);
    assert.equal(redriven.code, 0);
    assert.ok((JSON.parse(redriven.out) as { redriven: number }).redriven > 0);
    await eventually('it was told', () => hook.taken.length > 0);
    await eventually('nothing is dead', async () => {
      const { counts } = await pipeline.get<{ counts: Record<string, { failed: number }> }>('/api/jobs');
      return counts['notification']!.failed === 0;
    });
    assert.equal((await run(pipeline, ['redrive', '--notifications'])).code, 1);
    const unknown = await fetch(`${pipeline.viewersUrl}/api/jobs/retry`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"everything"}',
    });
    assert.equal(unknown.status, 400);
    assert.equal((await fetch(`${pipeline.viewersUrl}/api/jobs?name=everything`)).status, 400);
  });

  await t.test('editors get the schema of the file', async () => {
    const schema = await pipeline.get<{ title: string }>('/api/receivers/schema.json');
    assert.equal(schema.title, 'Logloom receivers');
  });

  await t.test('neither the log nor a metric has a secret', async () => {
    const metrics = await (await fetch(`${pipeline.viewersUrl}/metrics`)).text();
    assert.match(metrics, /^logloom_notifications_total\{receiver="oncall",outcome="dead",.*\} [1-9]/m);
    for (const shown of [metrics, pipeline.errors]) assert.ok(!/a-token-that|signing-key-1/.test(shown));
  });
});
