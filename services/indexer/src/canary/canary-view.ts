import type { Correlation, PlacedEvent } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';

/** How long its items are kept: longer than the canary waits for one. */
const keptMs = 600_000;
const removeEveryMs = 60_000;

export interface CanaryViewOptions {
  store: Pick<SearchStore, 'index' | 'indexCorrelations' | 'deleteBefore'>;
  /** Gets the error of a write that failed; the canary counts what it did not find. */
  onFailure: (error: unknown) => void;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/** The canary's items in its search store, for some minutes. */
export class CanaryView {
  readonly #options: CanaryViewOptions;
  #removedAtMs = -Infinity;

  constructor(options: CanaryViewOptions) {
    this.#options = options;
  }

  /** Never rejects: the events of users do not wait for the canary's. */
  async write(events: readonly PlacedEvent[], documents: readonly Correlation[]): Promise<void> {
    const { store, onFailure, nowMs } = this.#options;
    const sinceMicros = (nowMs() - keptMs) * 1000;
    try {
      // When the log is read again, most of it is too old.
      const recent = events.filter(({ timestamp }) => timestamp >= sinceMicros);
      const recentDocuments = documents.filter(({ lastAt }) => lastAt >= sinceMicros);
      if (recent.length > 0) await store.index(recent);
      if (recentDocuments.length > 0) await store.indexCorrelations(recentDocuments);
      if (nowMs() - this.#removedAtMs < removeEveryMs) return;
      this.#removedAtMs = nowMs();
      await store.deleteBefore(sinceMicros);
    } catch (error) {
      onFailure(error);
    }
  }
}
