import { freeze, unfreeze } from '@logloom/testing';
import kafkajs from 'kafkajs';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../../../infra/local/start-stack.ts';
import { eventLogContract } from '../contract/event-log.contract.ts';
import {
  newGroup,
  newTopic,
  numbered,
  readAll,
  record,
  rejectsWith,
  Running,
  texts,
} from '../contract/harness.ts';
import type { Assignment, EventLogError, LogRecord } from '../event-log.ts';
import { securedBrokerTests } from '../testing/secured-broker-tests.ts';
import { KafkaEventLog } from './kafka-event-log.ts';

const stack = await startStack({ only: ['kafka'], secured: true });
const skip = stack.missing.kafka ?? false;
const brokers = (stack.addressesOf('kafka')['internal'] ?? '').split(',');
const epochTopic = `epoch-${randomUUID()}`;
const connect = (): Promise<KafkaEventLog> =>
  KafkaEventLog.open({ brokers }, [{ name: epochTopic, partitions: 1 }]);

describe('the Kafka log', { skip }, () => {
  after(() => stack.stop());

  eventLogContract('KafkaEventLog', async () => ({ log: await connect(), connect }));

  describe('secured', () => securedBrokerTests(stack, process.env['LOGLOOM_FULL'] === '1'));

  describe('beyond the contract', () => {
    let log: KafkaEventLog;
    const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
    before(async () => void (log = await connect()));
    after(() => log.close());

    /** Another application's producer, with compression and transactions of its own. */
    async function withProducer(
      work: (producer: kafkajs.Producer) => Promise<void>,
      config: kafkajs.ProducerConfig = {},
    ): Promise<void> {
      const producer = kafka.producer({
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
        ...config,
      });
      await producer.connect();
      await work(producer).finally(() => producer.disconnect());
    }

    test('records of other producers are read: gzip, null values, binary and repeated headers', async () => {
      const topic = await newTopic(log);
      await withProducer(async (producer) => {
        await producer.send({
          topic,
          compression: kafkajs.CompressionTypes.GZIP,
          messages: [
            { key: 'k', value: 'zipped' },
            { key: null, value: null, headers: { twice: ['a', 'b'], bytes: Buffer.from('é') } },
          ],
        });
      });
      const [zipped, tombstone] = await readAll(log, topic);
      assert.deepEqual([zipped?.key, zipped?.value.toString()], ['k', 'zipped']);
      assert.deepEqual(
        [tombstone?.key, tombstone?.value.length, tombstone?.headers],
        [null, 0, { twice: 'b', bytes: 'é' }],
      );
    });

    test('batches in every codec of Kafka are read, by the broker and by librdkafka', async () => {
      const admin = kafka.admin();
      await admin.connect();
      const codecs = ['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'];
      const topics = codecs.map((codec) => ({ codec, topic: `${codec}-${randomUUID()}` }));
      await admin.createTopics({
        topics: topics.map(({ codec, topic }) => ({
          topic,
          numPartitions: 1,
          // The broker packs what it gets again, by Kafka's own implementation.
          configEntries: [
            { name: 'compression.type', value: codec },
            { name: 'max.message.bytes', value: String(16 << 20) },
          ],
        })),
      });
      await admin.disconnect();
      const found = {
        short: 'a',
        repeated: 'ab'.repeat(70_000),
        random: randomBytes(200_000).toString('hex'),
      };
      for (const { codec, topic } of topics) {
        await log.append(
          topic,
          Object.values(found).map((text) => record(text)),
        );
        assert.deepEqual(texts(await readAll(log, topic)), Object.values(found), codec);
      }
      if (spawnSync('kcat', ['-V']).status !== 0) return;
      for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
        const topic = `${randomUUID()}`;
        await log.createTopics([{ name: topic, partitions: 1 }]);
        const plain = kafka.admin();
        await plain.connect();
        await plain.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: kafkajs.ConfigResourceTypes.TOPIC,
              name: topic,
              configEntries: [{ name: 'compression.type', value: 'producer' }],
            },
          ],
        });
        await plain.disconnect();
        const lines = Array.from({ length: 300 }, (_, i) => `${i} ${'x'.repeat(i)}`);
        const sent = spawnSync(
          'kcat',
          ['-P', '-b', brokers[0]!, '-t', topic, '-z', codec, '-X', 'linger.ms=50'],
          {
            input: lines.join('\n'),
          },
        );
        assert.equal(sent.status, 0, String(sent.stderr));
        assert.deepEqual(texts(await readAll(log, topic)), lines, codec);
      }
    });

    test('aborted transactions are not seen, open ones end the log, and markers leave holes', async () => {
      const topic = await newTopic(log);
      await withProducer(
        async (producer) => {
          const send = async (
            value: string,
            end: 'commit' | 'abort' | 'leave open',
          ): Promise<kafkajs.Transaction> => {
            const transaction = await producer.transaction();
            await transaction.send({ topic, messages: [{ value }] });
            if (end !== 'leave open') await transaction[end]();
            return transaction;
          };
          await send('a', 'commit');
          await send('b', 'abort');
          await send('c', 'commit');
          // The markers are written after the answer.
          for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(20))
            if ((await log.endOffsets(topic))[0] === 6) break;
          const open = await send('d', 'leave open');
          assert.deepEqual(texts(await readAll(log, topic)), ['a', 'c']);
          assert.deepEqual(await log.endOffsets(topic), [6]);
          const found: LogRecord[] = [];
          await using following = new Running((signal) =>
            log.follow({ topic, from: [1], onBatch: (records) => void found.push(...records) }, signal),
          );
          await following.until('the committed record', () => found.length === 1);
          await open.commit();
          await following.until('what was open', () => found.length === 2);
          assert.deepEqual(texts(found), ['c', 'd']);
        },
        { transactionalId: randomUUID(), maxInFlightRequests: 1, idempotent: true },
      );
    });

    test('a record over the limit is record-too-large and harms no other', async () => {
      const topic = await newTopic(log);
      const large = {
        ...record(''),
        value: Buffer.from(Array.from({ length: 17 << 20 }, () => Math.random() * 256)),
      };
      const [refused, kept] = await Promise.allSettled([
        log.append(topic, [large]),
        sleep(0).then(() => log.append(topic, [record('small', 0)])),
      ]);
      assert.equal(
        refused.status === 'rejected' && (refused.reason as { code: string }).code,
        'record-too-large',
      );
      // What waited behind it in the same partition may be refused too, as retriable.
      if (kept.status === 'rejected') assert.equal((kept.reason as { retriable: boolean }).retriable, true);
      await log.append(topic, [record('later')]);
      assert.equal(texts(await readAll(log, topic)).at(-1), 'later');
    });

    test('the epoch changes when a topic is recreated', async () => {
      const name = `epoch-${randomUUID()}`;
      const open = async (): Promise<string> => {
        const instance = await KafkaEventLog.open({ brokers }, [{ name, partitions: 1 }]);
        await instance.close();
        return instance.epoch;
      };
      const first = await open();
      assert.equal(await open(), first);
      await log.deleteTopic(name);
      assert.notEqual(await open(), first);
    });

    test('topics that others made are checked: what breaks a guarantee is refused, the rest is told', async () => {
      const appendTime = { name: 'message.timestamp.type', value: 'LogAppendTime' };
      const settings = {
        times: [{ name: 'cleanup.policy', value: 'delete' }],
        compacted: [appendTime, { name: 'cleanup.policy', value: 'compact,delete' }],
        short: [
          appendTime,
          { name: 'retention.ms', value: '60000' },
          { name: 'compression.type', value: 'snappy' },
        ],
      };
      const nameOf = (what: keyof typeof settings): string => `${what}-${epochTopic}`;
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({
        topics: Object.entries(settings).map(([what, configEntries]) => ({
          topic: nameOf(what as keyof typeof settings),
          numPartitions: 1,
          configEntries,
        })),
      });
      await admin.disconnect();
      const troubles: string[] = [];
      const open = async (what: keyof typeof settings): Promise<void> => {
        const onTrouble = ({ message }: { message: string }): void => void troubles.push(message);
        const topics = [{ name: nameOf(what), partitions: 1 }];
        const options = { brokers, retentionMs: 120_000, onTrouble };
        await (await KafkaEventLog.open(options, topics)).close();
      };
      await rejectsWith('topic-mismatch', open('times'));
      await rejectsWith('topic-mismatch', open('compacted'));
      await open('short');
      assert.deepEqual(
        troubles.map((message) => message.replace(nameOf('short'), 'short')),
        [
          'short has retention.ms=60000, not 120000 as LOG_RETENTION_MS asks',
          'short has max.message.bytes=1048588, not 16777216: larger records are refused',
          'short has compression.type=snappy, not zstd: the broker packs every batch of Logloom again',
        ],
      );
    });

    test('brokers out of reach are log-unavailable after the patience', async () => {
      const options = { brokers: ['127.0.0.1:1'], patienceMs: 500 };
      await rejectsWith('log-unavailable', KafkaEventLog.open(options, []));
    });

    test('an outage longer than kafkajs tries ends in duplicates at most; a shorter patience in log-unavailable', async () => {
      const topic = await newTopic(log);
      let sentAgain = false;
      const onTrouble = ({ message }: { message: string }): void => {
        sentAgain ||= message.startsWith(`appending to ${topic}/0 failed`);
      };
      const patient = await KafkaEventLog.open({ brokers, patienceMs: 120_000, onTrouble }, []);
      const hasty = await KafkaEventLog.open({ brokers, patienceMs: 2_000 }, []);
      const found: string[] = [];
      await using following = new Running((signal) =>
        log.follow({ topic, from: [0], onBatch: (records) => void found.push(...texts(records)) }, signal),
      );
      for (const instance of [patient, hasty]) await instance.append(topic, [record('before')]);
      await stack.kafka.brokers[0]!.kill('SIGKILL');
      const first = patient.append(topic, [record('first')]);
      const refused = hasty.append(topic, [record('refused')]);
      await rejectsWith('log-unavailable', refused);
      await following.until('a send through a new producer', () => sentAgain);
      const second = patient.append(topic, [record('second')]);
      await stack.kafka.brokers[0]!.start();
      const [[at], [then]] = await Promise.all([first, second]);
      assert.ok(at! < then!);
      await following.until('what was appended', () => found.includes('second'));
      assert.deepEqual(
        [...new Set(found)].filter((text) => text !== 'refused'),
        ['before', 'first', 'second'],
      );
      await Promise.all([patient.close(), hasty.close()]);
    });

    test('a handler whose appends a frozen broker leaves unanswered begins again where it committed, when the broker answers', async () => {
      const topic = await newTopic(log);
      const output = await newTopic(log);
      await using impatient = new AsyncDisposableStack();
      const working = impatient.adopt(
        await KafkaEventLog.open({ brokers, patienceMs: 1_000 }, [{ name: epochTopic, partitions: 1 }]),
        (opened) => opened.close(),
      );
      const { pid } = stack.kafka.brokers[0]!;
      const refused: string[] = [];
      let opened = 0;
      await using member = new Running((signal) =>
        working.consume(
          {
            group: newGroup(),
            topics: [topic],
            open: async ({ commit }) => {
              opened++;
              return {
                process: async (records) => {
                  const isFreezing = opened === 1 && texts(records).includes('while0');
                  if (isFreezing) await freeze(pid!);
                  try {
                    await working.append(output, records);
                  } catch (error) {
                    refused.push((error as EventLogError).code);
                    throw error;
                  } finally {
                    if (isFreezing) unfreeze(pid!);
                  }
                  await commit(records.at(-1)!.offset + 1);
                },
              };
            },
          },
          signal,
        ),
      );
      await log.append(topic, numbered('before', 1));
      const written = async (): Promise<string[]> => [...new Set(texts(await readAll(log, output)))];
      while ((await written()).length === 0) await sleep(20);
      await log.append(topic, numbered('while', 1));
      await member.until('the partition opened again', () => opened > 1);
      await log.append(topic, numbered('after', 1));
      while (!(await written()).includes('after0')) await sleep(20);
      assert.deepEqual(await written(), ['before0', 'while0', 'after0']);
      assert.equal(refused[0], 'log-unavailable');
      await member.stop();
    });

    test('a handler that works for longer than the session keeps its partition', async () => {
      const patient = await KafkaEventLog.open({ brokers, sessionTimeoutMs: 6_000 }, []);
      const topic = await newTopic(patient);
      await patient.append(topic, [record('slow'), record('last')]);
      let opened = 0;
      let committed = 0;
      await using member = new Running((signal) =>
        patient.consume(
          {
            group: newGroup(),
            topics: [topic],
            maxRecords: 1,
            open: async ({ commit }) => {
              opened++;
              return {
                process: async ([first]) => {
                  if (first!.offset === 0) await sleep(9_000);
                  await commit(first!.offset + 1);
                  committed++;
                },
              };
            },
          },
          signal,
        ),
      );
      await member.until('both records', () => committed === 2);
      await member.stop();
      await patient.close();
      assert.equal(opened, 1);
    });

    test('on a rebalance a member closes and commits before another opens the partition', async () => {
      const topic = await newTopic(log, 2);
      await log.append(topic, [...numbered('a', 5, 0), ...numbered('b', 5, 1)]);
      const group = newGroup();
      const owners = new Map<number, string>();
      const seen = new Map<number, (number | undefined)[]>([
        [0, []],
        [1, []],
      ]);
      const member = (name: string): Running =>
        new Running((signal) =>
          log.consume(
            {
              group,
              topics: [topic],
              open: async ({ partition, committed, commit }: Assignment) => {
                assert.ok(!owners.has(partition), `${name} has ${partition} beside ${owners.get(partition)}`);
                owners.set(partition, name);
                seen.get(partition)!.push(committed?.offset);
                let next = committed?.offset ?? 0;
                return {
                  process: async (records) => void (next = records.at(-1)!.offset + 1),
                  close: async () => {
                    await sleep(300);
                    await commit(next);
                    owners.delete(partition);
                  },
                };
              },
            },
            signal,
          ),
        );
      await using one = member('one');
      await one.until('all partitions', () => owners.size === 2);
      await using two = member('two');
      await two.until('a partition each', () => new Set(owners.values()).size === 2);
      await two.stop();
      await one.until('all partitions again', () => [...owners.values()].join() === 'one,one');
      await one.stop();
      for (const commits of seen.values()) assert.deepEqual(commits.slice(1), [5, 5]);
    });

    test('a group continues from the start of a topic that was recreated while it worked', async () => {
      const topic = await newTopic(log);
      await log.append(topic, numbered('old', 50));
      const found: string[] = [];
      await using member = new Running((signal) =>
        log.consume(
          {
            group: newGroup(),
            topics: [topic],
            open: async ({ commit }) => ({
              process: async (records) => {
                found.push(...texts(records));
                await commit(records.at(-1)!.offset + 1);
              },
            }),
          },
          signal,
        ),
      );
      await member.until('the old records', () => found.length === 50);
      const other = await connect();
      await other.deleteTopic(topic);
      await other.createTopics([{ name: topic, partitions: 1 }]);
      await other.append(topic, numbered('new', 3));
      await other.close();
      await member.until('the new records', () => found.at(-1) === 'new2');
      await member.stop();
      assert.deepEqual(found.slice(50), ['new0', 'new1', 'new2']);
    });
  });
});
