import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventLogError,
  type EventLog,
  type EventLogErrorCode,
  type LogRecord,
  type NewRecord,
} from '../event-log.ts';

/** What an adapter gives the contract suite. */
export interface OpenedLog {
  log: EventLog;
  /** Another instance on the same log, as another thread or process has it; the suite closes it. */
  connect: () => Promise<EventLog>;
}

export interface Capabilities {
  /** Whether trim() removes every record that is old enough, or only whole batches or segments; default true. */
  exactTrim?: boolean;
  /** Whether trim() with a time in the future may be tried at once; default true. */
  trimsNow?: boolean;
}

/** What the tests of the suite work with. */
export interface Bench {
  readonly log: EventLog;
  readonly connect: () => Promise<EventLog>;
  readonly capabilities: Required<Capabilities>;
}

/** A new topic with a name of its own. */
export async function newTopic(log: EventLog, partitions = 1): Promise<string> {
  const name = `contract-${randomUUID()}`;
  await log.createTopics([{ name, partitions }]);
  return name;
}

export function newGroup(): string {
  return `contract-${randomUUID()}`;
}

export function record(text: string, partition = 0): NewRecord {
  return { partition, key: null, value: Buffer.from(text) };
}

/** `count` records whose texts are prefix0, prefix1, ... */
export function numbered(prefix: string, count: number, partition = 0): NewRecord[] {
  return Array.from({ length: count }, (_, i) => record(`${prefix}${i}`, partition));
}

export function texts(records: readonly LogRecord[]): string[] {
  return records.map((r) => r.value.toString());
}

/** Everything in a partition, read in pages. */
export async function readAll(
  log: EventLog,
  topic: string,
  partition = 0,
  page = 1000,
): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let next = 0; ; next = all.at(-1)!.offset + 1) {
    const records = await log.read(topic, partition, next, page);
    if (records.length === 0) return all;
    all.push(...records);
  }
}

export async function rejectsWith(code: EventLogErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof EventLogError, `not an EventLogError: ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}

/** A follow() or consume() at work; stopped at the end of the block that has it. */
export class Running implements AsyncDisposable {
  /** Settles as the call does. */
  readonly done: Promise<void>;
  readonly #stop = new AbortController();
  #ended = false;

  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.done = run(this.#stop.signal).finally(() => (this.#ended = true));
    this.done.catch(() => {});
  }

  /** Waits for the condition; rejects when the call ends first. */
  async until(what: string, condition: () => boolean): Promise<void> {
    await eventually(what, () => this.#ended || condition());
    if (condition()) return;
    await this.done;
    assert.fail(`ended before: ${what}`);
  }

  /** Aborts and waits for the end; rejects as the call does. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.done.catch(() => {});
  }
}

/** Waits until the clock has passed a record's time, so that what is appended next has a later one. */
export async function clockPast(timestamp: number): Promise<void> {
  while (Date.now() <= timestamp) await sleep(1);
}
