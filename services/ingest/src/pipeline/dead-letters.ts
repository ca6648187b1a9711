import { partitionOf, type NewRecord } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import type { Sender, Source } from '@logloom/schemas';
import type { Rejection } from '../errors.ts';
import type { Redactor } from '../redact/redactor.ts';
import type { BatchLimits } from './batch-limits.ts';
import { JointDeadLetter } from './joint-dead-letter.ts';

/** What a dead letter needs beside its payload. */
const overheadBytes = 200;

export interface DeadLettersOptions {
  serde: Serde;
  /** The number of partitions of logs.dead-letter. */
  deadLetterPartitions: number;
  /** Unset: nothing is redacted. */
  redactor?: Redactor | undefined;
}

/** Makes the dead letters of one batch; take() returns them as records. */
export class DeadLetters {
  /** The sender of what is refused from here on. */
  sender: Sender | undefined;
  readonly #options: DeadLettersOptions;
  readonly #limits: BatchLimits;
  #records: NewRecord[] = [];
  /** Bytes of the records that take() has not returned yet. */
  #waitingBytes = 0;
  #payloadBytes = 0;
  #count = 0;
  #joint: JointDeadLetter | undefined;

  constructor(options: DeadLettersOptions, limits: BatchLimits) {
    this.#options = options;
    this.#limits = limits;
  }

  /** Bytes of the records that take() would return. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether a refused event with a payload of this size may get its own dead letter; else it goes to addJointly(). */
  hasRoomFor(payloadBytes: number): boolean {
    const { deadLetterBytes } = this.#limits;
    // Each sum by itself: events of a usual size all get dead letters of their own, thousands of tiny ones do not.
    return (
      this.#payloadBytes + payloadBytes <= deadLetterBytes &&
      (this.#count + 1) * overheadBytes <= deadLetterBytes
    );
  }

  /** Writes a dead letter. `bytes` are the bytes as they were received. */
  add({ code, message: reason }: Rejection, source: Source, receivedAtMs: number, bytes: Buffer): void {
    const { redactor, serde, deadLetterPartitions } = this.#options;
    const message = redactor === undefined ? reason : redactor.reason(reason);
    const payload = redactor === undefined ? bytes : redactor.payload(bytes);
    this.#records.push({
      partition: partitionOf(source.topic, deadLetterPartitions),
      key: source.topic,
      value: serde.encode('DeadLetter', {
        code,
        message,
        source,
        receivedAt: receivedAtMs,
        payload,
        key: this.sender?.key ?? null,
        address: this.sender?.address ?? null,
      }),
    });
    this.#payloadBytes += payload.length;
    this.#count++;
    this.#waitingBytes += payload.length + overheadBytes;
  }

  /** Adds a refused event to a dead letter that many share: `part` is its bytes in there, `write` makes the payload of all parts. */
  addJointly(
    { code }: Rejection,
    source: Source,
    receivedAtMs: number,
    part: Buffer,
    write: (parts: Buffer) => Buffer,
  ): void {
    const isOther = this.#joint !== undefined && this.#joint.write !== write;
    const isFull = (this.#joint?.length ?? 0) + part.length > this.#limits.maxDeadLetterBytes;
    if (isOther || isFull) this.closeJoint();
    this.#joint ??= new JointDeadLetter(source, receivedAtMs, write);
    this.#joint.add(code, part);
  }

  /** Writes the dead letter that is still open for more. Returns false when there is none. */
  closeJoint(): boolean {
    if (this.#joint === undefined) return false;
    const { reason, source, receivedAtMs, payload } = this.#joint;
    this.#joint = undefined;
    this.add(reason, source, receivedAtMs, payload);
    return true;
  }

  /** Returns the records since the last call. */
  take(): NewRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#waitingBytes = 0;
    return records;
  }
}
