import { offsetBefore, type EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { epochHeader, isOfEpoch, topics, type Alert } from '@logloom/schemas';
import { tryDecode } from '../try-decode.ts';

type Position = Pick<Alert, 'closeOffset' | 'closeSequence' | 'index'>;

/**
 * Appends the alerts of one partition, each once. Their position only grows, and the last one in the topic shows how far it is, so alerts
 * that are repeated after a crash, or when lost documents are made again, are recognized.
 */
export class AlertWriter {
  readonly #log: EventLog;
  readonly #serde: Serde;
  readonly #partition: number;
  readonly #headers: Readonly<Record<string, string>>;
  #last: Position;

  private constructor(log: EventLog, serde: Serde, partition: number, epoch: string, last: Position) {
    this.#log = log;
    this.#serde = serde;
    this.#partition = partition;
    this.#headers = { [epochHeader]: epoch };
    this.#last = last;
  }

  /** `epoch` is that of logs.events. */
  static async open(log: EventLog, serde: Serde, partition: number, epoch: string): Promise<AlertWriter> {
    const end = (await log.endOffsets(topics.alerts))[partition]!;
    const start = offsetBefore(log, topics.alerts, partition, end, 100);
    let last: Position = { closeOffset: -1, closeSequence: -1, index: -1 };
    // A few more than one: another instance may have been active for a moment.
    for (const record of await log.read(topics.alerts, partition, Math.max(0, start), 100)) {
      if (!isOfEpoch(record, epoch)) continue;
      await serde.load([record.value]);
      const decoded = tryDecode(serde, record.value);
      if (decoded?.name === 'Alert' && isAhead(decoded.value, last)) last = decoded.value;
    }
    return new AlertWriter(log, serde, partition, epoch, last);
  }

  /** Resolves, with how many were new, when all are durable. */
  async append(alerts: readonly Alert[]): Promise<number> {
    const fresh = alerts.filter((alert) => isAhead(alert, this.#last));
    if (fresh.length === 0) return 0;
    await this.#log.append(
      topics.alerts,
      fresh.map((alert) => ({
        partition: this.#partition,
        key: alert.correlationId,
        value: this.#serde.encode('Alert', alert),
        headers: this.#headers,
      })),
    );
    this.#last = fresh.at(-1)!;
    return fresh.length;
  }
}

function isAhead(a: Position, b: Position): boolean {
  return (a.closeOffset - b.closeOffset || a.closeSequence - b.closeSequence || a.index - b.index) > 0;
}
