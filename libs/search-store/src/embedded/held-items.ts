import type { Correlation, PlacedEvent } from '@logloom/schemas';
import { FillTable } from '@logloom/sqlite';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Which of the given items the store's file holds; also works on a read-only connection. */
export class HeldItems {
  readonly #hasEvent: StatementSync;
  readonly #revision: StatementSync;
  readonly #fill: FillTable;

  constructor(db: DatabaseSync) {
    this.#hasEvent = db.prepare('SELECT 1 FROM events WHERE id = ?');
    this.#revision = db.prepare('SELECT revision FROM correlations WHERE id = ?');
    this.#fill = new FillTable(db);
  }

  /** As LogView.removedBefore(). */
  removedBefore(): number {
    return this.#fill.removedBefore();
  }

  /** Those that do not exist. */
  missingEvents(events: readonly PlacedEvent[]): PlacedEvent[] {
    return events.filter(({ id }) => this.#hasEvent.get(id) === undefined);
  }

  /** Those that do not exist, or only in an earlier revision; of those that were joined into another, those that still exist. */
  missingCorrelations(documents: readonly Correlation[]): Correlation[] {
    return documents.filter(({ id, revision, joinedInto }) => {
      const row = this.#revision.get(id) as { revision: number } | undefined;
      return joinedInto ? row !== undefined : row === undefined || row.revision < revision;
    });
  }
}
