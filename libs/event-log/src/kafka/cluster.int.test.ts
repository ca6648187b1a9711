import { freeze, unfreeze, whileFrozen } from '@logloom/testing';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { newGroup, readAll, Running } from '../contract/harness.ts';
import type { EventLogError, LogGap } from '../event-log.ts';
import { KafkaEventLog } from './kafka-event-log.ts';

const stack = await startStack({ only: ['kafka'], brokers: 3 });
const skip = stack.missing.kafka ?? false;
const brokers = (stack.env['KAFKA_BROKERS'] ?? '').split(',');

const partitions = 6;
const isFull = process.env['LOGLOOM_FULL'] === '1';
const recordsPerSecond = isFull ? 2_000 : 300;
const tickMs = isFull ? 15 : 100;
const outages: readonly { broker: number; signal: NodeJS.Signals }[] = [
  { broker: 0, signal: 'SIGTERM' },
  { broker: 1, signal: 'SIGKILL' },
  { broker: 2, signal: 'SIGTERM' },
  // Frozen: it keeps its connections, takes new ones and answers nothing. The first is the one that clients are told to begin with.
  { broker: 0, signal: 'SIGSTOP' },
  ...(isFull
    ? [
        { broker: 1, signal: 'SIGSTOP' as const },
        { broker: 2, signal: 'SIGSTOP' as const },
      ]
    : []),
];
const upMs = 4_000;
const downMs = 5_000;
/** Appends in flight at once; when all are, the writer waits. */
const maxInFlight = 400;

/** Writes numbered records to all partitions at a steady rate and remembers what became of each. */
class Writer {
  /** Per partition, how many were acknowledged. */
  readonly acknowledgedIn = Array.from({ length: partitions }, () => 0);
  /** Per partition, the offset that append() gave for each number; undefined where it did not. */
  readonly offsets: (number | undefined)[][] = Array.from({ length: partitions }, () => []);
  failed = 0;
  acknowledged = 0;
  readonly #log: KafkaEventLog;
  readonly #topic: string;
  readonly #inFlight = new Set<Promise<void>>();

  constructor(log: KafkaEventLog, topic: string) {
    this.#log = log;
    this.#topic = topic;
  }

  async run(signal: AbortSignal): Promise<void> {
    const start = Date.now();
    for (let written = 0; !signal.aborted;) {
      const due = Math.floor(((Date.now() - start) / 1_000) * recordsPerSecond);
      if (due > written && this.#inFlight.size < maxInFlight) {
        const count = Math.min(due - written, 200);
        written += count;
        const append = this.#append(count).finally(() => this.#inFlight.delete(append));
        this.#inFlight.add(append);
      }
      await sleep(tickMs);
    }
    await Promise.all(this.#inFlight);
  }

  async #append(count: number): Promise<void> {
    const placed = Array.from({ length: count }, (_, i) => {
      const partition = i % partitions;
      return { partition, number: this.offsets[partition]!.push(undefined) - 1 };
    });
    const records = placed.map(({ partition, number }) => ({
      partition,
      key: null,
      value: Buffer.from(`${number} ${'x'.repeat(200)}`),
    }));
    try {
      const offsets = await this.#log.append(this.#topic, records);
      placed.forEach(({ partition, number }, i) => {
        this.offsets[partition]![number] = offsets[i];
        this.acknowledgedIn[partition]!++;
      });
      this.acknowledged += count;
    } catch {
      this.failed += count;
    }
  }
}

const numberOf = (value: Buffer): number => Number.parseInt(value.toString());

describe('the Kafka log on three brokers', { skip }, () => {
  after(() => stack.stop());

  test('nothing acknowledged is lost or moved, and a group continues, when each broker stops or freezes and comes back', async (t) => {
    const troubled = new Set<number>();
    const name = `outages-${randomUUID()}`;
    const onTrouble = ({ message }: { message: string }): void => {
      const partition = new RegExp(`${name}/(\\d+) failed`).exec(message)?.[1];
      if (partition !== undefined) troubled.add(Number(partition));
    };
    await using owned = new AsyncDisposableStack();
    const open = async (): Promise<KafkaEventLog> =>
      owned.adopt(await KafkaEventLog.open({ brokers, onTrouble }, [{ name, partitions }]), (log) =>
        log.close(),
      );
    const log = await open();
    const reading = await open();
    const writer = new Writer(log, name);

    const processed = Array.from({ length: partitions }, () => new Set<number>());
    const opened = { count: 0 };
    const group = newGroup();
    await using member = new Running((signal) =>
      reading.consume(
        {
          group,
          topics: [name],
          open: async ({ partition, commit }) => {
            opened.count++;
            return {
              process: async (records) => {
                for (const { value } of records) processed[partition]!.add(numberOf(value));
                await commit(records.at(-1)!.offset + 1);
              },
            };
          },
        },
        signal,
      ),
    );
    await member.until('all partitions', () => opened.count >= partitions);
    await using writing = new Running((signal) => writer.run(signal));

    for (const outage of outages) {
      const broker = stack.kafka.brokers[outage.broker]!;
      await sleep(upMs);
      if (outage.signal === 'SIGSTOP') {
        await whileFrozen([broker.pid!], async () => {
          const late = await KafkaEventLog.open({ brokers }, [{ name, partitions }]);
          await late.close();
          const acknowledged = [...writer.acknowledgedIn];
          const written = writer.offsets.map((numbers) => numbers.length);
          await writing.until('records acknowledged in every partition', () =>
            writer.acknowledgedIn.every((count, partition) => count > acknowledged[partition]!),
          );
          await member.until('the group at work in every partition', () =>
            processed.every((numbers, partition) => numbers.has(written[partition]!)),
          );
        });
        continue;
      }
      await broker.kill(outage.signal);
      await sleep(downMs);
      const before = writer.acknowledged;
      await writing.until('records acknowledged by the others', () => writer.acknowledged > before);
      await broker.start();
      const last = writer.offsets.map((numbers) => numbers.length);
      await member.until('the group at work on what was written since', () =>
        processed.every((numbers, partition) => numbers.has(last[partition]!)),
      );
    }
    await sleep(upMs);
    await writing.stop();

    let duplicates = 0;
    for (let partition = 0; partition < partitions; partition++) {
      const inLog = await readAll(reading, name, partition);
      const numbers = inLog.map(({ value }) => numberOf(value));
      const valueAt = new Map(inLog.map(({ offset }, i) => [offset, numbers[i]!]));
      const firsts = [...new Set(numbers)];
      const offsets = writer.offsets[partition]!;
      const acknowledged = [...offsets.keys()].filter((number) => offsets[number] !== undefined);
      assert.deepEqual(
        acknowledged.filter((number) => valueAt.get(offsets[number]!) !== number),
        [],
        `acknowledged records of partition ${partition} that are not at their offset`,
      );
      assert.deepEqual(
        firsts.filter((number) => offsets[number] !== undefined),
        acknowledged,
        'acknowledged records are in the order of their appends',
      );
      duplicates += numbers.length - firsts.length;
      if (!troubled.has(partition))
        assert.equal(
          firsts.length,
          numbers.length,
          `duplicates in partition ${partition}, where no send had failed`,
        );
      await member.until('the group at the end', () =>
        firsts.every((number) => processed[partition]!.has(number)),
      );
    }
    await member.stop();
    t.diagnostic(
      `${writer.acknowledged} acknowledged, ${writer.failed} refused, ${duplicates} duplicates, ` +
        `${troubled.size} of ${partitions} partitions were sent to again, ${opened.count} assignments`,
    );
    assert.ok(
      writer.acknowledged > 15 * recordsPerSecond,
      `only ${writer.acknowledged} records were acknowledged`,
    );
  });

  test('a broker that was frozen and takes itself for the leader is not believed: no end falls, nothing counts as lost', async (t) => {
    const name = `stale-${randomUUID()}`;
    await using owned = new AsyncDisposableStack();
    const log = owned.adopt(
      await KafkaEventLog.open({ brokers, patienceMs: 20_000 }, [{ name, partitions }]),
      (opened) => opened.close(),
    );
    const reading = owned.adopt(
      await KafkaEventLog.open({ brokers, patienceMs: 3_000 }, [{ name, partitions }]),
      (opened) => opened.close(),
    );
    const appendToAll = async (text: string): Promise<void> => {
      const record = { key: null, value: Buffer.from(text) };
      await log.append(
        name,
        Array.from({ length: partitions }, (_, partition) => ({ ...record, partition })),
      );
    };
    const gaps: LogGap[] = [];
    const seen = new Array<number>(partitions).fill(0);
    await using follower = new Running((signal) =>
      reading.follow(
        {
          topic: name,
          from: seen.map(() => 0),
          onBatch: (records, partition) => void (seen[partition]! += records.length),
          onGap: (gap) => void gaps.push(gap),
        },
        signal,
      ),
    );
    const isAt = (count: number) => (): boolean => seen.every((records) => records === count);
    await appendToAll('before');
    await follower.until('the first records', isAt(1));

    const [stale, ...others] = stack.kafka.brokers;
    const otherPids = others.map(({ pid }) => pid!);
    let answers: readonly PromiseSettledResult<number[]>[] = [];
    try {
      await whileFrozen([stale!.pid!], async () => {
        // Of what the others lead by now the frozen one knows nothing.
        for (let i = 0; i < 3; i++) await appendToAll('meanwhile');
        await follower.until('the records of the others', isAt(4));
        await freeze(...otherPids);
      });
      await sleep(6_000);
      // One that knows how far the log had got, and one that does not.
      const fresh = KafkaEventLog.open({ brokers, patienceMs: 3_000 }, [{ name, partitions }]).then(
        async (opened) => {
          owned.adopt(opened, (each) => each.close());
          return opened.endOffsets(name);
        },
      );
      answers = await Promise.allSettled([reading.endOffsets(name), fresh]);
    } finally {
      unfreeze(...otherPids);
    }
    for (const answer of answers)
      if (answer.status === 'rejected')
        assert.equal((answer.reason as EventLogError).code, 'log-unavailable');
      else assert.deepEqual(answer.value, seen);
    t.diagnostic(answers.map(({ status }) => status).join(', '));
    await appendToAll('after');
    await follower.until('the last records', isAt(5));
    assert.deepEqual(gaps, []);
    assert.deepEqual(await reading.endOffsets(name), seen);
  });
});
