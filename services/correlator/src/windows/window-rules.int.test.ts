import { partitionOf } from '@logloom/event-log';
import { parseRules } from '@logloom/rules/rules-file';
import type { OrderedChange } from '@logloom/rules/windows';
import { connectLog, type LogConnection } from '@logloom/runtime';
import { topics, type Alert } from '@logloom/schemas';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { parseSettings } from '../settings.ts';
import { logEvent } from '../testing/correlator-fixtures.ts';
import { readAll, recountAlerts } from '../testing/recount-alerts.ts';
import { parseEvaluatorMetadata } from './evaluate-partition.ts';
import { windowAlert } from './window-alert.ts';

const isFull = process.env['LOGLOOM_FULL'] === '1';
const kills = isFull ? 50 : 2;
const killsOnKafka = 16;
/** Events come, stop for longer than the window of `silent`, and come again. */
const rounds = isFull ? 12 : 2;
const roundMs = 3000;
const pauseMs = 3500;

const text = `rules:
  - { name: errors, when: level:error, by: [service], window: 3s, if: count >= 3, for: 1s }
  - { name: failing, of: requests, when: 'service:*', by: [service], window: 4s, if: ratio(errorCount:>0) > 10% and count >= 5 }
  - { name: silent, when: 'service:*', by: [service], window: 2s, if: absent }
  - { name: stopped, when: '*', window: 2s, if: absent }
  - { name: slow, when: '*', window: 3s, if: p95(ms) > 80 and distinct(service) >= 2 }
  - { name: sequence, when: ms:<20, times: 3, then: ms:>90, by: [service], within: 2s, resolve: 2s }
  - { name: new, when: '*', by: [service], window: 2s, if: new(user) }
`;

test('killed again and again while events come, rules over many events raise what one pass over the log says, and again the same bytes', async () => {
  using folder = temporaryFolder('window-rules');
  const rulesFile = join(folder.path, 'rules.yaml');
  writeFileSync(rulesFile, text);
  const env = {
    LOGLOOM_DATA: folder.path,
    LOG_PARTITIONS: '3',
    CORRELATION_RULES: rulesFile,
    CORRELATION_IDLE_MS: '300',
    CORRELATION_GRACE_MS: '300',
  };
  await using connection = await connectLog(parseSettings(env));
  const { log, serde } = connection;
  let child: ChildProcess | undefined;
  try {
    child = await start(env);
    const writing = write(connection);
    for (let i = 0; i < kills; i++) {
      await sleep(((rounds * (roundMs + pauseMs)) / kills) * Math.random());
      await end(child, 'SIGKILL');
      child = await start(env);
    }
    await writing;
    const untilMs = Date.now() + 3000;
    await judgedUpTo(connection, untilMs);
    await end(child, 'SIGTERM');

    const parsed = parseRules(text);
    assert.ok(parsed.ok);
    const expected = (await recountAlerts(log, serde, parsed.rules, untilMs)).map(plain).sort();
    const alerts = await read(connection, untilMs);
    assert.deepEqual(alerts.flat().map(plainAlert).sort(), expected);
    const names = new Set(alerts.flat().map(({ rule, state }) => `${rule} ${state}`));
    for (const name of ['errors', 'failing', 'silent', 'stopped', 'slow', 'sequence', 'new'])
      assert.ok(names.has(`${name} firing`), `${name} fires`);
    assert.ok(names.has('errors pending') && names.has('silent resolved'));
    for (const partition of alerts)
      assert.equal(new Set(partition.map(({ id }) => id)).size, partition.length, 'each once');

    for (const topic of [topics.alerts, topics.windows]) {
      await log.deleteTopic(topic);
      await log.createTopics([{ name: topic, partitions: 3 }]);
    }
    child = await start(env);
    await judgedUpTo(connection, untilMs);
    await end(child, 'SIGTERM');
    assert.deepEqual(await read(connection, untilMs), alerts, 'from the log alone, the same again');
  } finally {
    if (child?.exitCode === null) child.kill('SIGKILL');
  }
});

const notFull = isFull ? false : 'set LOGLOOM_FULL=1';

test(
  'on Kafka, two correlators of which one after the other is killed or stopped raise what one pass over the log says',
  { skip: notFull },
  async (t) => {
    await using stack = await startStack({ only: ['kafka'] });
    if (stack.missing.kafka !== undefined) return t.skip(stack.missing.kafka);
    using folder = temporaryFolder('window-rules-kafka');
    const rulesFile = join(folder.path, 'rules.yaml');
    writeFileSync(rulesFile, text);
    const env = {
      ...stack.env,
      LOGLOOM_DATA: folder.path,
      LOG_PARTITIONS: '3',
      CORRELATION_RULES: rulesFile,
      CORRELATION_IDLE_MS: '300',
      CORRELATION_GRACE_MS: '300',
    };
    await using connection = await connectLog(parseSettings(env));
    const children = [await start(env), await start(env)];
    try {
      const writing = write(connection);
      for (let i = 0; i < killsOnKafka; i++) {
        await sleep(1000 + Math.random() * 4000);
        // A kill leaves the partitions to the other one after a while; a stop at once.
        await end(children[i % 2]!, i % 4 < 2 ? 'SIGKILL' : 'SIGTERM');
        children[i % 2] = await start(env);
      }
      await writing;
      const untilMs = Date.now() + 3000;
      await judgedUpTo(connection, untilMs);
      for (const child of children) await end(child, 'SIGTERM');
      const alerts = (await read(connection, untilMs)).flat().map(plainAlert);
      const parsed = parseRules(text);
      assert.ok(parsed.ok);
      const expected = (await recountAlerts(connection.log, connection.serde, parsed.rules, untilMs)).map(
        plain,
      );
      // Two of them may have had a partition at once for a moment: readers drop the repetition.
      assert.deepEqual([...new Set(alerts)].sort(), expected.sort());
      assert.ok(alerts.length > 40);
      t.diagnostic(`${expected.length} changes of alerts, ${alerts.length - expected.length} written twice`);
    } finally {
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    }
  },
);

async function write({ log, serde }: LogConnection): Promise<void> {
  let n = 0;
  const batch = (): Promise<number[]> => {
    const records = Array.from({ length: 20 }, () => {
      const i = n++;
      const id = `request-${Math.floor(i / 5)}`;
      const event = logEvent(id, i, {
        timestamp: Date.now() * 1000 + (i % 1000),
        service: `service-${(i * 7) % 4}`,
        level: i % 9 === 0 ? 'error' : 'info',
        attributes: JSON.stringify({ ms: (i * 37) % 101, user: `user-${Math.floor(i / 200)}` }),
      });
      return { partition: partitionOf(id, 3), key: id, value: serde.encode('LogEvent', event) };
    });
    return log.append(topics.events, records);
  };
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await sleep(pauseMs);
    for (const endMs = Date.now() + roundMs; Date.now() < endMs; await sleep(50)) await batch();
  }
}

async function judgedUpTo({ log }: LogConnection, untilMs: number): Promise<void> {
  await eventually('everything is judged', async () => {
    const commits = await log.committed('rules-evaluator', topics.windows);
    return commits.every((commit) => (parseEvaluatorMetadata(commit?.metadata)?.judgedMs ?? 0) > untilMs);
  });
}

/** The alerts of each partition that were judged up to a time. */
async function read({ log, serde }: LogConnection, untilMs: number): Promise<Alert[][]> {
  return Promise.all(
    Array.from({ length: 3 }, async (_, p) => {
      const records = await readAll(log, topics.alerts, p);
      await serde.load(records.map(({ value }) => value));
      return records
        .map(({ value }) => serde.decode(value).value as Alert)
        .filter(({ writer, at }) => writer === 'windows' && at <= untilMs);
    }),
  );
}

function plain(change: OrderedChange): string {
  return plainAlert(windowAlert(change));
}

/** All but the place in the order, which a partition has for itself. */
function plainAlert(alert: Alert): string {
  const sorted = Object.entries({ ...alert, closeSequence: 0 }).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(sorted);
}

async function start(env: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../testing/correlator.child.ts'), JSON.stringify(env)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
