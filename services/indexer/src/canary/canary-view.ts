import { isCanaryDocument, isCanaryEvent, type Correlation, type PlacedEvent } from '@logloom/schemas';
import type { SearchStore } from '@logloom/search-store';
import type { BulkTarget } from '../indexing/index-batches.ts';

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

/** The target without the canary's items, which go to `view` in the same call, if there is one, after those of users. */
export function withoutCanaries(target: BulkTarget, view?: CanaryView): BulkTarget {
  return {
    ...target,
    putEvents: async (events) => {
      // Nearly every batch is without one.
      if (!events.some(isCanaryEvent)) return target.putEvents(events);
      const others = events.filter((event) => !isCanaryEvent(event));
      const refused = others.length === 0 ? undefined : await target.putEvents(others);
      await view?.write(events.filter(isCanaryEvent), []);
      return refused;
    },
    putCorrelations: async (documents) => {
      if (!documents.some(isCanaryDocument)) return target.putCorrelations(documents);
      const others = documents.filter((document) => !isCanaryDocument(document));
      const refused = others.length === 0 ? undefined : await target.putCorrelations(others);
      await view?.write([], documents.filter(isCanaryDocument));
      return refused;
    },
  };
}
