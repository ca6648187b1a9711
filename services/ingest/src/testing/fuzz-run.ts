import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { HeapWatch } from './heap-watch.ts';
import { readDeadLetters, readEvents } from './ingest-harness.ts';
import { seededRandom, type Random } from './mutate.ts';

/** A test with many random inputs. FUZZ_INPUTS=1000000 makes it a long run; FUZZ_SEED repeats one. */
export class FuzzRun {
  readonly inputs: number;
  readonly seed: number;

  constructor(usualInputs: number, env: Readonly<Record<string, string | undefined>>) {
    this.inputs = Number(env['FUZZ_INPUTS'] ?? usualInputs);
    this.seed = Number(env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
  }

  /** Runs rounds of up to so many inputs, each with a log of its own, until all are done. The heap must not grow from round to round. */
  async rounds(
    t: TestContext,
    inputsOfRound: number,
    round: (count: number, random: Random) => Promise<void>,
  ): Promise<void> {
    const random = seededRandom(this.seed);
    const heap = new HeapWatch();
    for (let done = 0; done < this.inputs; done += inputsOfRound) {
      await round(Math.min(inputsOfRound, this.inputs - done), random);
      t.diagnostic(`after ${done + inputsOfRound}: ${heap.look()}`);
    }
  }
}

/** The log of a stopped service holds as many events and dead letters as were counted, and the good events, which begin with `good `. */
export async function assertGoodOnes(
  folder: string,
  counted: number,
  good: readonly string[],
): Promise<void> {
  const events = await readEvents(folder);
  assert.equal(events.length + (await readDeadLetters(folder)).length, counted);
  for (const { attributes } of events) assert.equal(typeof JSON.parse(attributes), 'object');
  const found = events.filter(({ message }) => message.startsWith('good ')).map(({ message }) => message);
  assert.deepEqual(found.sort(), good.toSorted());
}
