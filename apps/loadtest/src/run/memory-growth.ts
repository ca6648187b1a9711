import type { MemoryGrowth, Second } from '../result.ts';
import { theilSen } from '../verdict/theil-sen.ts';
import type { HeapReading } from './heap-reading.ts';

/** Fewer collections say nothing about a slope. */
const fewestCollections = 6;

/** Of the most viewers: from the first to the last second with so many, connections replace others, and their own memory does not count. */
const steadyShare = 0.95;

/** Of the steady part: caches fill, code is compiled, and there is what a server keeps for a minute, which grows too, and then no more. */
const warmUpS = 60;

interface Sample {
  second: number;
  bytes: number;
}

/**
 * How much memory each connection leaves behind: what the threads that serve viewers hold just after their whole heap was collected, against
 * the connections made until then. Between collections a heap holds garbage too, which hides a leak and looks like one.
 */
export class MemoryGrowthWatch {
  readonly #collections = new Map<string, number>();
  readonly #samples = new Map<string, Sample[]>();

  add(second: number, heaps: readonly HeapReading[]): void {
    for (const { thread, collections, bytes } of heaps) {
      const before = this.#collections.get(thread);
      this.#collections.set(thread, collections);
      if (before === undefined || collections <= before) continue;
      const samples = this.#samples.get(thread) ?? [];
      samples.push({ second, bytes });
      this.#samples.set(thread, samples);
    }
  }

  /** Null: fewer collections than a slope needs, or no connection between them. Of several threads the slopes add up. */
  result(rows: readonly Second[]): MemoryGrowth | null {
    const made: number[] = [];
    for (const { connects } of rows) made.push((made.at(-1) ?? 0) + connects);
    const most = steadyShare * Math.max(...rows.map(({ viewers }) => viewers));
    const steadyS = rows.findIndex(({ viewers }) => viewers >= most);
    const toS = rows.findLastIndex(({ viewers }) => viewers >= most);
    const fromS = steadyS + warmUpS;
    const threads = [...this.#samples.values()]
      .map((samples) => samples.filter(({ second }) => second >= fromS && second <= toS))
      .map((samples) =>
        samples.map(({ second, bytes }) => [made[Math.min(second, made.length - 1)] ?? 0, bytes] as const),
      )
      .filter((points) => points.length >= fewestCollections && points[0]![0] < points.at(-1)![0]);
    if (threads.length === 0 || threads.length < this.#collections.size) return null;
    const slopes = threads.map((points) => theilSen(points, { isSeries: true }));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      connections: Math.max(...threads.map((points) => points.at(-1)![0] - points[0]![0])),
      collections: Math.min(...threads.map(({ length }) => length)),
      perConnectionBytes: sum(slopes.map(({ value }) => value)),
      interval: [
        sum(slopes.map(({ interval }) => interval[0])),
        sum(slopes.map(({ interval }) => interval[1])),
      ],
    };
  }
}
