import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from './pipeline.ts';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

const text = `rules:
  - name: failing-logins
    when: message:"Failed password"
    by: [client.ip]
    window: 1m
    if: count >= 3
    severity: high
  - name: failing-requests
    of: requests
    when: service:*
    by: [service]
    window: 1m
    if: ratio(errorCount:>0) > 50% and count >= 3
  - name: one-request
    when: level:fatal
`;

interface Trial {
  name: string;
  alerts: { key: Record<string, string>; from: string; value?: number; examples: string[] }[];
}

test('rules over many events raise alerts, say how they are, and find the same in the past', async () => {
  await using pipeline = await Pipeline.create({
    CORRELATION_RULES: 'rules.yaml',
    CORRELATION_IDLE_MS: '300',
  });
  const rulesFile = join(pipeline.dataFolder, 'rules.yaml');
  writeFileSync(rulesFile, text);
  await pipeline.start();
  const event = (i: number, ip: string, level: string): string =>
    JSON.stringify({
      message: `Failed password for root from ${ip}`,
      level,
      service: level === 'error' ? 'sshd' : 'web',
      traceId: `trace-${ip}-${i}`,
      client: { ip },
    });
  const lines = [
    ...[1, 2, 3, 4].map((i) => event(i, '203.0.113.7', 'error')),
    ...[1, 2].map((i) => event(i, '198.51.100.2', 'info')),
  ];
  assert.equal((await pipeline.ingest(lines.join('\n'))).status, 200);

  interface Rules {
    judgedAt: string | null;
    rules: { name: string; of: string; firing?: number; keys?: number }[];
  }
  const firing = async (): Promise<Record<string, number>> => {
    const { rules } = await pipeline.get<Rules>('/api/rules');
    return Object.fromEntries(rules.map(({ name, firing = -1 }) => [name, firing]));
  };
  await eventually('both rules fire', async () => {
    const by = await firing();
    return by['failing-logins'] === 1 && by['failing-requests'] === 1;
  });
  const { rules, judgedAt } = await pipeline.get<Rules>('/api/rules');
  assert.deepEqual(
    rules.map(({ name, of }) => [name, of]),
    [
      ['failing-logins', 'events'],
      ['failing-requests', 'requests'],
      ['one-request', 'request'],
    ],
  );
  assert.ok(judgedAt !== null && Date.parse(judgedAt) > Date.now() - 60_000);

  interface Alert {
    rule: string;
    state: string;
    severity?: string;
    labels: Record<string, string>;
  }
  await eventually('both alerts', async () => {
    const { alerts } = await pipeline.get<{ alerts: Alert[] }>('/api/alerts?state=firing');
    return alerts.length === 2;
  });
  const { alerts } = await pipeline.get<{ alerts: Alert[] }>('/api/alerts?state=firing');
  const login = alerts.find(({ rule }) => rule === 'failing-logins')!;
  assert.deepEqual([login.severity, login.labels['client.ip']], ['high', '203.0.113.7']);

  const run = (...args: string[]): Promise<{ code: number; out: string; notes: string }> =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        [main, ...args],
        { env: pipeline.env, cwd: pipeline.dataFolder },
        (error, out, notes) => resolve({ code: error === null ? 0 : (error.code as number), out, notes }),
      );
    });
  const { code, out, notes } = await run('rules', 'backtest', rulesFile, '--from', '-7d', '--json');
  assert.equal(code, 0, notes);
  const past = JSON.parse(out) as {
    complete: boolean;
    events: number;
    requests: number;
    rules: Trial[];
    skipped: string[];
  };
  assert.deepEqual([past.complete, past.events, past.requests, past.skipped], [true, 6, 6, ['one-request']]);
  const [logins, requests] = past.rules;
  assert.deepEqual(
    logins!.alerts.map(({ key, examples }) => [key, examples.length]),
    [[{ 'client.ip': '203.0.113.7' }, 4]],
  );
  assert.ok(logins!.alerts[0]!.examples.includes('trace-203.0.113.7-1'));
  assert.deepEqual(
    requests!.alerts.map(({ key, value }) => [key, value]),
    [[{ service: 'sshd' }, 1]],
  );
  const shown = await run('rules', 'backtest', rulesFile, '--from', '-1h');
  assert.match(shown.out, /failing-logins +1 alert\n +\S+ to … +client\.ip=203\.0\.113\.7/);
  assert.match(shown.notes, /not tried, because they look at one request: one-request/);

  const reversed = await run('rules', 'backtest', rulesFile, '--from', 'now+1h');
  assert.deepEqual([reversed.code, /from is after to/.test(reversed.notes)], [2, true]);

  const doubtful = join(pipeline.dataFolder, 'doubtful.yaml');
  writeFileSync(doubtful, 'rules: [{ name: slow, when: level:error, window: 5m, if: avg(durationMs) > 1s }]');
  const checked = await run('rules', 'check', doubtful);
  assert.deepEqual([checked.code, checked.out.split('\n').length], [0, 3]);
  assert.match(checked.out, /^warning: .*:1:\d+: if: durationMs is a field of requests.*`of: requests`/);

  const refused = await fetch(`${pipeline.viewersUrl}/api/rules/backtest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rules: 'rules: [{ name: a, window: 5m, when: x, if: cont > 1 }]' }),
  });
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  assert.deepEqual([refused.status, error.code], [400, 'bad-parameter']);
  assert.match(error.message, /rules:1:\d+: if: there is no cont/);
});
