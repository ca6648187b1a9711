import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLogError } from '../event-log.ts';
import type { KafkaConnection } from './connection.ts';
import { topicIdentity, type TopicIdentity } from './topic-id.ts';

const lookEveryMs = 5_000;

/**
 * Maps topic names to ids. A topic that is deleted and recreated keeps its name and gets another id. An instance looks the id up again when
 * a broker does not know it, and every few seconds for topics that it only writes to.
 */
export class KafkaTopicEpochs {
  readonly #connection: KafkaConnection;
  readonly #known = new Map<string, TopicIdentity>();
  readonly #listeners = new Set<(topic: string) => void>();

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
  }

  /** The topic's last known id. Throws EventLogError `unknown-topic` or `log-unavailable`. */
  async idOf(topic: string): Promise<string> {
    return this.#known.get(topic)?.topicId ?? this.refresh(topic);
  }

  /** The topic's id now. */
  async refresh(topic: string): Promise<string> {
    const identity = await this.#connection.run(`cannot identify ${topic}`, topic, async (cluster) =>
      topicIdentity(await cluster.findControllerBroker(), topic),
    );
    const before = this.#known.get(topic);
    this.#known.set(topic, identity);
    if (before !== undefined && before.topicId !== identity.topicId)
      for (const listener of this.#listeners) listener(topic);
    return identity.topicId;
  }

  /** This instance has deleted the topic itself. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  /** As EventLog.epochOf. */
  async epochOf(topic: string): Promise<string> {
    await this.idOf(topic);
    return this.epochOfAll([topic]);
  }

  /** One text for all of these topics, whose ids are known. */
  epochOfAll(topics: readonly string[]): string {
    const ids = topics.toSorted().flatMap((topic) => {
      const known = this.#known.get(topic);
      return known === undefined ? [] : [known.clusterId, known.topicId];
    });
    return createHash('sha256').update(ids.join()).digest('hex').slice(0, 12);
  }

  /** Calls the listener when a topic turns out to have been recreated, until the returned value is disposed of. */
  onRecreated(listener: (topic: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Checks all known topics until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(lookEveryMs, undefined, { signal, ref: false }).catch(() => {});
      for (const topic of this.#known.keys()) {
        if (signal.aborted) return;
        // The topic was deleted or no broker answers: its readers and writers will find out.
        await this.refresh(topic).catch(() => {});
      }
    }
  }
}

export function topicRecreated(topic: string): EventLogError {
  return new EventLogError(
    'topic-recreated',
    `${topic} was recreated: its offsets belong to other records now`,
  );
}
