import type { EventLog, NewRecord } from '@logloom/event-log';
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
  #partitionOf: (key: string | null, n: number) => number = () => 0;

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
      this.#onAnswer(reasonOf(error), false, reasonOf(error));
      // Without a client nothing was sent.
      return { fate: this.#log === undefined ? 'refused' : 'unknown', rejected: [] };
    }
  }

  end(): void {
    void this.#log?.close();
  }

  async #open(): Promise<EventLog> {
    // Only who sends by Kafka loads its client.
    const { openEventLog, partitionOf } = await import('@logloom/event-log');
    const log = await openEventLog({ dataFolder: '', topics: [], kafka: this.#target.kafka });
    const partitions = await log.partitionCount(topics.raw);
    this.#partitionOf = (key, n) => (key === null ? n % partitions : partitionOf(key, partitions));
    return log;
  }

  #recordOf(line: string): NewRecord {
    const { correlationId, loadtest } = readLine(line);
    const key = correlationId ?? null;
    return { partition: this.#partitionOf(key, loadtest.n), key, value: Buffer.from(line), headers };
  }
}
