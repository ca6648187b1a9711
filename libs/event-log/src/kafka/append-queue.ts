import type { Message } from 'kafkajs';
import { EventLogError, type NewRecord } from '../event-log.ts';

/** Below the brokers' default limit for a batch (1 MiB), whatever the records compress to. */
const batchBytes = 900_000;
/** Kafka's overhead of a record at most: lengths, deltas, attributes. */
const recordOverhead = 32;
const headerOverhead = 10;

interface Waiting {
  messages: Message[];
  bytes: number;
  resolve: (baseOffset: number) => void;
  reject: (error: unknown) => void;
}

/**
 * The queue of appends to one partition. One batch is in flight at a time; records that are appended meanwhile form the next one. When a
 * batch fails, all that wait behind it fail too: a later record must not be stored if an earlier one was not.
 */
export class AppendQueue {
  readonly #send: (messages: Message[]) => Promise<number>;
  #queue: Waiting[] = [];
  #running = false;

  /** `send` stores messages as one batch and returns the first one's offset. */
  constructor(send: (messages: Message[]) => Promise<number>) {
    this.#send = send;
  }

  /** The records' offsets. */
  async append(records: readonly NewRecord[]): Promise<number[]> {
    const pieces = split(records);
    const stored = pieces.map(
      ({ messages, bytes }) =>
        new Promise<number>((resolve, reject) => this.#queue.push({ messages, bytes, resolve, reject })),
    );
    if (!this.#running) void this.#run();
    const bases = await Promise.all(stored);
    const offsets = new Array<number>(records.length);
    let next = 0;
    for (const [i, { messages }] of pieces.entries())
      for (let k = 0; k < messages.length; k++) offsets[next++] = bases[i]! + k;
    return offsets;
  }

  async #run(): Promise<void> {
    this.#running = true;
    // What is appended in the same turn of the event loop shares the batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#sendBatch(this.#nextBatch());
    this.#running = false;
  }

  async #sendBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const only = batch.length === 1 ? batch[0]!.messages : undefined;
      let offset = await this.#send(only ?? batch.flatMap(({ messages }) => messages));
      for (const { messages, resolve } of batch) {
        resolve(offset);
        offset += messages.length;
      }
    } catch (cause) {
      const behind = this.#queue;
      this.#queue = [];
      for (const { reject } of batch) reject(cause);
      const reason = new EventLogError('log-unavailable', 'a record before these was not appended', {
        cause,
      });
      for (const { reject } of behind) reject(reason);
    }
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      bytes += waiting.bytes;
      if (count > 0 && bytes > batchBytes) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }
}

/** Pieces that fit a batch; a record that is larger than one has a piece of its own. */
function split(records: readonly NewRecord[]): { messages: Message[]; bytes: number }[] {
  const pieces: { messages: Message[]; bytes: number }[] = [];
  for (const { partition, key, value, headers } of records) {
    let bytes = recordOverhead + value.length + (key === null ? 0 : Buffer.byteLength(key));
    let message: Message;
    if (headers === undefined) message = { partition, key, value };
    else {
      message = { partition, key, value, headers: { ...headers } };
      for (const name in headers)
        bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name]!) + headerOverhead;
    }
    const piece = pieces.at(-1);
    if (piece !== undefined && piece.bytes + bytes <= batchBytes) {
      piece.messages.push(message);
      piece.bytes += bytes;
    } else pieces.push({ messages: [message], bytes });
  }
  return pieces;
}
