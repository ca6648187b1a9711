import type { FillMark, FillMove } from '@logloom/schemas';
import type { Catalog } from './catalog.ts';
import type { ViewName } from './views.ts';

/** The marks of LogView for one view, stored in the catalog. */
export class ViewMarks {
  readonly #catalog: Catalog;
  readonly #view: ViewName;

  constructor(catalog: Catalog, view: ViewName) {
    this.#catalog = catalog;
    this.#view = view;
  }

  filled(epoch: string): FillMark[] {
    return this.#catalog
      .all<FillMark>(
        'SELECT topic, partition, "offset" FROM filled WHERE view = ? AND epoch = ?',
        this.#view,
        epoch,
      )
      .map((mark) => ({ ...mark }));
  }

  /** As LogView.markFilled(). */
  move(epoch: string, moves: readonly FillMove[]): boolean {
    const { db } = this.#catalog;
    // A lost change only means that a few records are read again; syncing several times a second would cost more.
    db.exec('PRAGMA synchronous=NORMAL');
    try {
      return this.#catalog.write(() => {
        const known = new Map(
          this.filled(epoch).map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]),
        );
        const holds = moves.every(
          ({ topic, partition, from }) => (known.get(`${topic}/${partition}`) ?? 0) >= from,
        );
        if (!holds) return false;
        for (const topic of new Set(moves.map((move) => move.topic)))
          this.#catalog.run(
            'DELETE FROM filled WHERE view = ? AND topic = ? AND epoch <> ?',
            this.#view,
            topic,
            epoch,
          );
        for (const { topic, partition, offset } of moves)
          this.#catalog.run(
            `INSERT INTO filled VALUES (?, ?, ?, ?, ?) ON CONFLICT (view, epoch, topic, partition)
             DO UPDATE SET "offset" = max("offset", excluded."offset")`,
            this.#view,
            epoch,
            topic,
            partition,
            offset,
          );
        return true;
      });
    } finally {
      db.exec('PRAGMA synchronous=FULL');
    }
  }

  removedBefore(): number {
    return this.#catalog.snapshot().removedBefore[this.#view];
  }
}
