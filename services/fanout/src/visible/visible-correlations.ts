import type { Filter } from '@logloom/filter';
import type { BroadcastCounts } from '../delivery/broadcast.ts';
import type { MeasuredStream } from '../telemetry.ts';
import { newStreamStats } from '../stream/live-stats.ts';
import { VisibleFollower, type VisibleFollowerOptions } from './visible-follower.ts';
import type { VisibleStream } from './visible-stream.ts';

/** Streams without viewers are dropped at the second check: polls come back within a minute. */
const sweepMs = 60_000;

/**
 * The correlation documents for viewers with imposed filters: one stream per filter, shared by all viewers with it. Nothing runs and no
 * memory is used while there is none.
 */
export class VisibleCorrelations implements MeasuredStream {
  /** Its name in metrics. */
  readonly kind = { name: 'visible-correlations' };
  readonly stats = newStreamStats();
  readonly counts: BroadcastCounts = { tests: 0, flushes: 0, deliveries: 0 };
  readonly #options: VisibleFollowerOptions;
  #follower: VisibleFollower | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: VisibleFollowerOptions) {
    this.#options = options;
  }

  get broadcast(): MeasuredStream['broadcast'] {
    return { counts: this.counts, channelCount: this.#follower?.channelCount ?? 0 };
  }

  /** How many records these streams are behind the stream of all documents. */
  get behind(): number {
    return this.#follower?.behind ?? 0;
  }

  /** The stream of an imposed filter. It lasts while it has subscriptions, which have to begin in this turn of the event loop. */
  streamFor(imposed: Filter): VisibleStream {
    this.#follower ??= new VisibleFollower(this.#options, this.stats, this.counts);
    this.#sweep ??= setInterval(() => this.#forgetUnused(), sweepMs).unref();
    return this.#follower.streamFor(imposed);
  }

  flushAll(): void {
    this.#follower?.flushAll();
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#follower?.close();
    this.#follower = undefined;
  }

  #forgetUnused(): void {
    this.#follower?.forgetUnused();
    if (this.#follower?.isEmpty) this.close();
  }
}
