// The life of alerts in the one-process mode: from rules to receivers, through a kill, by the command line.
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

const rules = `rules:
  - { name: failed, description: a request failed, when: 'level:error', severity: critical, labels: { team: shop }, alert: true, resolve: 4s }
  - { name: noticed, when: 'level:error', severity: low, labels: { team: web }, alert: true, resolve: 4s }
  - { name: many, when: 'level:error', by: [service], window: 10s, if: count >= 2, severity: high }
`;

const rulesOf = ['failed', 'noticed', 'many'];

interface Alert {
  fingerprint: string;
  rule: string;
  state: string;
  occurrences: number;
  labels: Record<string, string>;
  silencedBy: string[];
  acknowledged?: { author: string; note: string };
}

test('alerts fire, are silenced and acknowledged, survive a kill, are resolved and told', async (t) => {
  const told: string[] = [];
  const receiver = createServer((request, response) => {
    void json(request).then((body) => {
      const { alerts } = body as { alerts: { status: string; labels: Record<string, string> }[] };
      told.push(...alerts.map(({ status, labels }) => `${labels['alertname']} ${status}`));
      response.writeHead(200).end();
    });
  });
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  t.after(() => receiver.close().closeAllConnections());
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '200',
    CORRELATION_RULES: 'rules.yaml',
    RECEIVERS: 'receivers.yaml',
    RECEIVERS_ALLOWED_HOSTS: '127.0.0.1',
  });
  writeFileSync(join(pipeline.dataFolder, 'rules.yaml'), rules);
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  writeFileSync(
    join(pipeline.dataFolder, 'receivers.yaml'),
    `receivers: [{ name: hook, webhook: { url: '${url}' } }]\nroutes: [{ receiver: hook, groupWait: 100ms, groupInterval: 100ms }]\n`,
  );
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, [main, ...args], { env: pipeline.env, cwd: pipeline.dataFolder });
    child.stdin.end();
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  const cli = async (...args: string[]): Promise<{ code: number | null; out: string }> => {
    const child = start(...args);
    const [out] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return { code: child.exitCode, out };
  };
  const listed = async (...args: string[]): Promise<Alert[]> =>
    (await cli('alerts', '--json', ...args)).out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Alert);
  let n = 0;
  const fail = (): Promise<Response> =>
    pipeline.ingest(`{"level":"error","service":"payment","message":"card refused","traceId":"t-${n++}"}`);

  await pipeline.start();
  assert.equal((await cli('alerts')).code, 1, 'there are none');
  const silenced = await cli(
    'silences',
    'add',
    'team=~"sh.p"',
    '--for',
    '1h',
    '--reason',
    'deploy',
    '--author',
    'ada',
  );
  assert.equal(silenced.code, 0, silenced.out);
  const watching = start('alerts', '--watch', '--json');
  let watched = '';
  watching.stdout.on('data', (data: Buffer) => (watched += data.toString()));
  await fail();
  await fail();

  await eventually('both rules have counted both requests', async () => {
    const alerts = await listed('NOT rule:many');
    return alerts.length === 2 && alerts.every(({ occurrences }) => occurrences === 2);
  });
  const alerts = await listed('NOT rule:many');
  const of = (rule: string): Alert => alerts.find((alert) => alert.rule === rule)!;
  assert.deepEqual(of('failed').labels, { team: 'shop', severity: 'critical', alertname: 'failed' });
  assert.deepEqual(of('noticed').labels, { team: 'web', severity: 'low', alertname: 'noticed' });
  assert.deepEqual([of('failed').silencedBy.length, of('noticed').silencedBy.length], [1, 0]);
  const acknowledged = await cli(
    'alerts',
    'ack',
    of('failed').fingerprint,
    '--note',
    'on it',
    '--author',
    'grace',
  );
  assert.deepEqual([acknowledged.code, acknowledged.out], [0, 'acknowledged by grace\n']);
  await eventually('the one that is not silenced is told', async () => told.includes('noticed firing'));

  await eventually('the rule over a window fires for its key', async () => {
    const [many] = await listed('rule:many AND labels.service:payment');
    return many?.state === 'firing' && many.labels['severity'] === 'high';
  });

  await pipeline.end('SIGKILL');
  await pipeline.start();
  const [kept] = await listed('rule:failed', '--state', 'all');
  assert.deepEqual(
    [kept!.fingerprint, kept!.silencedBy, kept!.occurrences],
    [of('failed').fingerprint, of('failed').silencedBy, 2],
  );
  const text1 = (await cli('alerts', '--state', 'all')).out;
  assert.match(text1, /critical {2}a request failed/);
  assert.match(text1, /acknowledged by grace: on it/);
  assert.match(text1, /count >= 2 in 10s \((?:it was 2|[01] at the end)\)/);

  await eventually('all are resolved', async () => (await listed('--state', 'resolved')).length === 3);
  await eventually('the end of what was told is told', async () =>
    ['noticed resolved', 'many resolved'].every((each) => told.includes(each)),
  );
  assert.ok(!told.some((each) => each.startsWith('failed')), 'a silenced alert was told');
  await eventually('whoever watches has seen it, also through the kill', async () => {
    const seen = watched
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Alert);
    const statesOf = (rule: string) =>
      new Set(seen.filter((alert) => alert.rule === rule).map(({ state }) => state));
    return rulesOf.every((rule) => ['firing', 'resolved'].every((state) => statesOf(rule).has(state)));
  });
  watching.kill('SIGINT');
  const [watchCode] = (await once(watching, 'exit')) as [number | null];
  assert.equal(watchCode, 0);
  const history = (await cli('alerts', 'history', 'rule:failed', '--json')).out.trim().split('\n');
  assert.deepEqual(
    history.map((line) => {
      const { type, state } = JSON.parse(line) as { type: string; state?: string };
      return state ?? type;
    }),
    ['resolved', 'acknowledgement', 'firing', 'firing'],
  );

  const [silence] = (await cli('silences', '--json')).out.trim().split('\n');
  const { id } = JSON.parse(silence!) as { id: string };
  assert.equal((await cli('silences', 'end', id)).out, `ended ${id}\n`);
  assert.equal((await cli('silences')).code, 1);
  assert.match((await cli('silences', '--state', 'expired')).out, /deploy \(ada, ended by anonymous\)/);
  assert.equal((await cli('silences', 'add', 'team', '--reason', 'x')).code, 2);
  assert.equal((await cli('silences', 'add', 'team=x', '--for', '2', '--reason', 'no unit')).code, 2);
  assert.equal((await cli('alerts', 'ack', of('failed').fingerprint)).code, 2, 'it is over');
  assert.equal((await cli('alerts', 'ack', '0000000000000000')).code, 1, 'there is none');
});
