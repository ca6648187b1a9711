// Several processes share the alert book on Kafka, and its owner is killed again and again.
import { connectLog } from '@logloom/runtime';
import { topics } from '@logloom/schemas';
import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { parseSettings } from '../../apps/logloom/src/settings.ts';
import { startStack } from '../../infra/local/start-stack.ts';
import { AlertBook } from '../../services/indexer/src/alerts/alert-book.ts';
import { AlertLogReader } from '../../services/indexer/src/alerts/alert-log-reader.ts';
import type { AlertState } from '../../services/indexer/src/alerts/alert-state.ts';
import { alertRecord } from '../../services/indexer/src/testing/alert-records.ts';

const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'starts Kafka for one test: LOGLOOM_FULL=1';
const script = join(import.meta.dirname, '../../services/indexer/src/testing/alert-keeper.child.ts');
const partitions = 4;
const members = 3;
const kills = 6;
const rules = ['a', 'b', 'c', 'd'];
const resolveAfterMs = 2000;

test(
  'three members, the owner killed six times: every change is told, and every alert is raised and resolved exactly once',
  { skip },
  async (t) => {
    await using stack = await startStack({ only: ['kafka'] });
    if (stack.missing.kafka !== undefined) return t.skip(stack.missing.kafka);
    using folder = temporaryFolder('kafka-alerts');
    const env = { ...stack.env, LOGLOOM_DATA: folder.path, LOG_PARTITIONS: String(partitions) };
    await using connection = await connectLog(parseSettings(env));
    const { log, serde } = connection;
    const told: AlertState[] = [];
    let owner: ChildProcess | undefined;
    let owners = 0;
    const running = new Set<ChildProcess>();
    const start = (): void => {
      const child = spawn(process.execPath, [script, JSON.stringify(env)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      running.add(child);
      createInterface(child.stdout).on('line', (line) => {
        if (line === 'owner') {
          owner = child;
          owners++;
        } else told.push(JSON.parse(line) as AlertState);
      });
    };
    const kill = async (child: ChildProcess): Promise<void> => {
      running.delete(child);
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    };
    t.after(() => Promise.all([...running].map(kill)));
    for (let i = 0; i < members; i++) start();
    await eventually('there is an owner', async () => owners > 0);

    let n = 0;
    let episodes = 0;
    const isTold = (rule: string, state: string, after: number): boolean =>
      told.slice(after).some((alert) => alert.rule === rule && alert.state === state);
    for (let round = 0; round <= kills; round++) {
      const before = told.length;
      episodes++;
      // Each rule matches in every partition, before and while the owner is away.
      const raise = (): Promise<unknown> =>
        log.append(
          topics.alerts,
          rules.flatMap((rule) =>
            Array.from({ length: partitions }, (_, partition) => ({
              partition,
              key: null,
              value: serde.encode('Alert', alertRecord(++n, { rule, at: Date.now(), resolveAfterMs })),
            })),
          ),
        );
      await raise();
      if (round < kills) {
        const ownersBefore = owners;
        await kill(owner!);
        start();
        await raise();
        await eventually('another owner', async () => owners > ownersBefore, 120_000);
      } else await raise();
      await eventually(
        `round ${round}: every alert fires and is resolved`,
        async () => rules.every((rule) => isTold(rule, 'firing', before) && isTold(rule, 'resolved', before)),
        120_000,
      );
    }

    const book = new AlertBook({ limitBytes: 2 ** 24 });
    const changes = await new AlertLogReader({ log, serde }, book).readTo();
    for (const rule of rules) {
      const states = changes.filter(({ alert }) => alert.rule === rule).map(({ alert }) => alert.state);
      assert.deepEqual(
        states,
        Array.from({ length: 2 * episodes }, (_, i) => (i % 2 === 0 ? 'firing' : 'resolved')),
        rule,
      );
      // What a receiver makes of it: states with a revision that is not higher are old news.
      let revision = -1;
      const heard = told
        .filter((alert) => alert.rule === rule)
        .filter((alert) => alert.revision > revision && (revision = alert.revision) === alert.revision)
        .map(({ state }) => state);
      assert.deepEqual(heard, states, `what is told of ${rule}`);
    }
    assert.deepEqual(
      book.alerts().map(({ state, occurrences }) => [state, occurrences]),
      rules.map(() => ['resolved', 2 * partitions]),
    );
    t.diagnostic(`${told.length} tellings of ${changes.length} changes, ${owners} owners`);
  },
);
