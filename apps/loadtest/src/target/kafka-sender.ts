import { EventLogError, openEventLog, partitionOf, type EventLog, type NewRecord } from '@logloom/event-log';
import { topics } from '@logloom/schemas';
import { readLine } from './receivers/sent-line.ts';
import { reasonOf, type BatchFate, type OnAnswer, type Sender, type SenderTarget } from './sender.ts';

const headers = { 'content-type': 'application/json' };

/**
 * Produces events to the topic `logs.raw`, under their correlation id, each batch acknowledged by all replicas in sync. A batch that was
 * not acknowledged may be in the topic or not, and is not repeated: there would be two records then.
 */
export class KafkaSender implements Sender {
  readonly #target: SenderTarget;
  readonly #onAnswer: OnAnswer;
  #log: EventLog | undefined;
  #partitions = 0;

  /** The target has the options of a client of Kafka. */
  constructor(target: SenderTarget, onAnswer: OnAnswer) {
    this.#target = target;
    this.#onAnswer = onAnswer;
  }

  async send(lines: readonly string[], _signal: AbortSignal): Promise<BatchFate> {
    try {
      const log = (this.#log ??= await this.#open());
      await log.append(
        topics.raw,
        lines.map((line) => this.#recordOf(line)),
      );
      this.#onAnswer('acknowledged', false, undefined);
      return { fate: 'stored', rejected: [] };
    } catch (error) {
      const reason = error instanceof EventLogError ? error.code : reasonOf(error);
      this.#onAnswer(reason, false, reason);
      // Without a client nothing was sent.
      return { fate: this.#log === undefined ? 'refused' : 'unknown', rejected: [] };
    }
  }

  end(): void {
    void this.#log?.close();
  }

  async #open(): Promise<EventLog> {
    const log = await openEventLog({ dataFolder: '', topics: [], kafka: this.#target.kafka });
    this.#partitions = await log.partitionCount(topics.raw);
    return log;
  }

  #recordOf(line: string): NewRecord {
    const { correlationId, loadtest } = readLine(line);
    const key = correlationId ?? null;
    const partition = key === null ? loadtest.n % this.#partitions : partitionOf(key, this.#partitions);
    return { partition, key, value: Buffer.from(line), headers };
  }
}
