import { CodedError } from '@logloom/errors';
import type { FillMark, LogView } from '@logloom/schemas';
import { setTimeout as sleep } from 'node:timers/promises';
import { indexerErrors } from '../errors.ts';

/** A store that is filled from the log. */
export interface FilledView {
  name: string;
  store: Pick<LogView, 'filled' | 'markFilled'> & {
    counts: () => Promise<{ events: number; correlations: number }>;
  };
}

export interface FillMarksOptions {
  views: readonly FilledView[];
  /** The log's. */
  epoch: string;
  /** Called for committed records that a view no longer has. */
  onLost: (lost: LostRange) => void;
  /** Called when a view cannot be reached at present. */
  onRetry: (view: string, error: unknown) => void;
  signal: AbortSignal;
}

/** Offsets that a view needs again; `to` is not included. */
export interface LostRange {
  view: string;
  topic: string;
  partition: number;
  from: number;
  to: number;
}

/** Where to begin a partition, and from where each view needs its records. */
export interface FillStart {
  offset: number;
  /** By the view's name. */
  floors: ReadonlyMap<string, number>;
}

/** A view has lost records since its partition was opened: the partition has to be opened again. */
export class ViewLostError extends CodedError<'view-lost'> {
  constructor(view: string) {
    super(indexerErrors, 'view-lost', `the ${view} lost its data; it is filled again from the log`);
  }
}

interface Waiting {
  topic: string;
  partition: number;
  from: number;
  offset: number;
  resolve: (isDone: boolean) => void;
  reject: (error: unknown) => void;
}

const firstWaitMs = 100;
const longestWaitMs = 10_000;

/**
 * Compares the marks of each view with the group's commits: a view that is behind has lost data (its file or collection was deleted, or an
 * old backup restored), and is filled again from its mark. Keeps the marks ahead of the commits.
 */
export class FillMarks {
  readonly #options: FillMarksOptions;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(options: FillMarksOptions) {
    this.#options = options;
  }

  /**
   * Called once, before any partition is opened: a view that has data but no marks was filled by a release without them, and is assumed to
   * hold everything that was committed. `verify` checks that.
   */
  async adopt(committed: readonly FillMark[]): Promise<void> {
    for (const view of this.#options.views) {
      await this.#retry(view, async () => {
        const { store } = view;
        if ((await store.filled(this.#options.epoch)).length > 0) return;
        const { events, correlations } = await store.counts();
        if (events + correlations === 0) return;
        await store.markFilled(
          this.#options.epoch,
          committed.map((mark) => ({ ...mark, from: 0 })),
        );
      });
    }
  }

  /** Where to begin a partition that is committed up to `committed`. Waits for unreachable views. */
  async open(topic: string, partition: number, committed: number): Promise<FillStart> {
    const { views, onLost } = this.#options;
    const floors = new Map<string, number>();
    let isMarked = true;
    for (const view of views) {
      const mark = await this.#retry(view, () => this.#markOf(view, topic, partition));
      isMarked &&= mark !== undefined;
      const floor = mark ?? 0;
      floors.set(view.name, floor);
      if (floor < committed) onLost({ view: view.name, topic, partition, from: floor, to: committed });
    }
    if (!isMarked) await this.#begin(topic, partition);
    return { offset: Math.min(committed, ...floors.values()), floors };
  }

  /**
   * Marks in every view that it holds the partition up to `offset`; `from` is the previous mark. Returns false if a view cannot be reached
   * at present: nothing may be committed then. Throws ViewLostError.
   */
  async advance(topic: string, partition: number, from: number, offset: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topic, partition, from, offset, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  /** One write at a time; marks that change meanwhile form the next. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const moves = this.#waiting;
      this.#waiting = [];
      try {
        const isDone = await this.#write(moves);
        for (const { resolve } of moves) resolve(isDone);
      } catch (error) {
        for (const { reject } of moves) reject(error);
      }
    }
    this.#running = false;
  }

  async #write(moves: readonly Waiting[]): Promise<boolean> {
    const { views, epoch, onRetry } = this.#options;
    const marks = moves.map(({ topic, partition, from, offset }) => ({ topic, partition, from, offset }));
    let isDone = true;
    for (const { name, store } of views) {
      try {
        if (!(await store.markFilled(epoch, marks))) throw new ViewLostError(name);
      } catch (error) {
        if ((error as { retriable?: boolean }).retriable !== true) throw error;
        onRetry(name, error);
        isDone = false;
      }
    }
    return isDone;
  }

  async #markOf({ store }: FilledView, topic: string, partition: number): Promise<number | undefined> {
    const marks = await store.filled(this.#options.epoch);
    return marks.find((mark) => mark.topic === topic && mark.partition === partition)?.offset;
  }

  /**
   * From now on every view has a mark of the partition, whatever it will hold. On new topics all partitions begin at once: their marks
   * share a write, because each of its own would conflict with those of all others.
   */
  async #begin(topic: string, partition: number): Promise<void> {
    const { signal } = this.#options;
    // Once the signal has aborted, nothing is written any more.
    for (let wait = firstWaitMs; !signal.aborted; wait = Math.min(2 * wait, longestWaitMs)) {
      if (await this.advance(topic, partition, 0, 0)) return;
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }

  async #retry<T>({ name }: FilledView, ask: () => Promise<T>): Promise<T> {
    const { signal, onRetry } = this.#options;
    for (let wait = firstWaitMs; ; wait = Math.min(2 * wait, longestWaitMs)) {
      try {
        return await ask();
      } catch (error) {
        if ((error as { retriable?: boolean }).retriable !== true || signal.aborted) throw error;
        onRetry(name, error);
        await sleep(wait, undefined, { signal }).catch(() => {});
      }
    }
  }
}
