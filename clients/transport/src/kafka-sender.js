// @ts-check
import { SendError } from './send-error.js';

/** @import { KafkaOptions, Sender } from './sender.js' */

/**
 * Produces to `logs.raw` with the user's own kafkajs. The key is the producer, so that the lines of a process are in one partition, in
 * order. A batch that got no answer is produced again, and Kafka may then hold it twice.
 * @param {KafkaOptions} options
 * @returns {Sender}
 */
export function createKafkaSender({ topic = 'logs.raw', ...config }) {
  /** @type {Promise<import('kafkajs').Producer> | undefined} */
  let connecting;

  async function connect() {
    const {
      default: { Kafka, logLevel },
    } = await import('kafkajs');
    // Repetition is the transport's: kafkajs would give up after its own.
    const kafka = new Kafka({
      clientId: 'logloom-transport',
      logLevel: logLevel.NOTHING,
      retry: { retries: 1 },
      ...config,
    });
    const producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1 });
    await producer.connect();
    return producer;
  }

  return {
    async send({ lines, producer: key }) {
      try {
        connecting ??= connect();
        const producer = await connecting;
        await producer.send({ topic, acks: -1, messages: lines.map((value) => ({ key, value })) });
        return [];
      } catch (error) {
        // A failed connection is not tried again by itself.
        const failed = connecting;
        connecting = undefined;
        failed?.then((producer) => producer.disconnect()).catch(() => {});
        throw new SendError('unreachable', /** @type {Error} */ (error).message, { cause: error });
      }
    },
    async close() {
      await connecting?.then((producer) => producer.disconnect()).catch(() => {});
    },
  };
}
