import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Pipeline } from '../pipeline/pipeline.ts';

/**
 * A program that logs through a client while Logloom is killed and started under it. It gets its arguments, says `half` on standard
 * output in the middle of its work and ends when its standard input does.
 */
export class LoggingProgram {
  readonly #child: ChildProcess;
  readonly #half: Promise<unknown>;
  readonly #exit: Promise<unknown[]>;

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#half = once(createInterface({ input: this.#child.stdout! }), 'line');
    this.#exit = once(this.#child, 'exit');
  }

  async half(): Promise<void> {
    const early = this.#exit.then((exit) => assert.fail(`it ended before its half: ${exit.join(' ')}`));
    early.catch(() => {});
    await Promise.race([this.#half, early]);
  }

  /** Lets it come to its own end. */
  async end(): Promise<void> {
    this.#child.stdin!.end();
    assert.deepEqual(await this.#exit, [0, null]);
  }
}

export interface FoundEvent {
  level: string;
  service: string;
  message: string;
  correlationId?: string;
  partition: number;
  offset: number;
  attributes: Record<string, unknown>;
}

/** The events of a filter, in the order of the log within each partition, once there are so many; more would be duplicates, and fail. */
export async function found(pipeline: Pipeline, filter: string, expected: number): Promise<FoundEvent[]> {
  const read = (): Promise<{ total: { value: number }; events: FoundEvent[] }> =>
    pipeline.get(`/api/search?q=${encodeURIComponent(filter)}&limit=1000&order=asc`);
  await eventually(`${expected} of ${filter}`, async () => (await read()).total.value >= expected);
  await pipeline.untilDone();
  const { total, events } = await read();
  assert.equal(total.value, expected, filter);
  return events.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}
