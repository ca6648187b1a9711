import { offsetBefore, type EventLog } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { alertDefaults, epochHeader, isOfEpoch, topics, type Alert } from '@logloom/schemas';
import { tryDecode } from '../try-decode.ts';

type Position = Pick<Alert, 'closeOffset' | 'closeSequence' | 'index'>;

const none: Position = { closeOffset: -1, closeSequence: -1, index: -1 };
const recordsPerRead = 1000;

/**
 * Appends one writer's alerts of a partition, each once. Their position only grows, and the last one in the topic shows how far it is, so alerts
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

  /** `epoch` is that of logs.events; `writer`: Alert.writer. */
  static async open(
    log: EventLog,
    serde: Serde,
    partition: number,
    epoch: string,
    writer: string = alertDefaults.writer,
  ): Promise<AlertWriter> {
    const [starts, ends] = await Promise.all([
      log.startOffsets(topics.alerts),
      log.endOffsets(topics.alerts),
    ]);
    let last: Position = none;
    // Others write to the topic too, so the last one may be anywhere.
    for (let end = ends[partition]!; last === none && end > starts[partition]!;) {
      const start = Math.max(
        starts[partition]!,
        offsetBefore(log, topics.alerts, partition, end, recordsPerRead),
      );
      last = await lastIn(log, serde, { partition, start, end, epoch, writer });
      end = start;
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
        key: alert.scope === 'window' ? alert.fingerprint : alert.correlationId,
        value: this.#serde.encode('Alert', alert),
        headers: this.#headers,
      })),
    );
    this.#last = fresh.at(-1)!;
    return fresh.length;
  }
}

/** The highest position of this writer's alerts in [start, end). Another instance may have been active for a moment. */
async function lastIn(
  log: EventLog,
  serde: Serde,
  {
    partition,
    start,
    end,
    epoch,
    writer,
  }: { partition: number; start: number; end: number; epoch: string; writer: string },
): Promise<Position> {
  let last = none;
  for (let next = start; next < end;) {
    const records = await log.read(topics.alerts, partition, next, end - next);
    if (records.length === 0) break;
    await serde.load(records.map((record) => record.value));
    for (const record of records) {
      if (!isOfEpoch(record, epoch)) continue;
      const decoded = tryDecode(serde, record.value);
      if (decoded?.name !== 'Alert' || decoded.value.writer !== writer) continue;
      if (isAhead(decoded.value, last)) last = decoded.value;
    }
    next = records.at(-1)!.offset + 1;
  }
  return last;
}

function isAhead(a: Position, b: Position): boolean {
  return (a.closeOffset - b.closeOffset || a.closeSequence - b.closeSequence || a.index - b.index) > 0;
}
