import { tokenize } from '@logloom/filter';
import { correlationDefaults, levels, type Correlation, type PlacedEvent } from '@logloom/schemas';
import { FillTable } from '@logloom/sqlite';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** ASCII without U+0000, which would end the text for SQLite. */
const plainAscii = /^[\x01-\x7f]*$/;
const ranks = new Map(levels.map((level, rank) => [level, rank]));
/** Rows are deleted in steps, so that indexing can run in between. */
const deleteStep = 5000;

/** The writing half of the embedded search store. */
export class SqliteWriter {
  readonly #db: DatabaseSync;
  readonly #lastRowid: StatementSync;
  readonly #insertEvent: StatementSync;
  readonly #insertWordsOfRows: StatementSync;
  readonly #insertWords: StatementSync;
  readonly #upsertCorrelation: StatementSync;
  readonly #hasCorrelation: StatementSync;
  readonly #removeCorrelation: StatementSync;
  readonly #clearIds: StatementSync;
  readonly #insertId: StatementSync;
  readonly #count: StatementSync;
  readonly fill: FillTable;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#lastRowid = db.prepare('SELECT MAX(rowid) AS rowid FROM events');
    this.#insertEvent = db.prepare(
      'INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
    );
    this.#insertWordsOfRows = db.prepare(
      'INSERT INTO events_fts (rowid, words) SELECT rowid, message FROM events WHERE rowid BETWEEN ? AND ?',
    );
    this.#insertWords = db.prepare('INSERT INTO events_fts (rowid, words) VALUES (?, ?)');
    this.#upsertCorrelation = db.prepare(
      `INSERT INTO correlations VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET correlation_id = excluded.correlation_id, kind = excluded.kind,
         revision = excluded.revision, close_reason = excluded.close_reason, first_at = excluded.first_at,
         last_at = excluded.last_at, duration_ms = excluded.duration_ms, event_count = excluded.event_count,
         error_count = excluded.error_count, level_mask = excluded.level_mask, severity = excluded.severity,
         partition = excluded.partition, services = excluded.services, rules = excluded.rules, document = excluded.document,
         ids = excluded.ids, labels = excluded.labels, shape = excluded.shape
       WHERE excluded.revision > correlations.revision RETURNING rowid`,
    );
    this.#hasCorrelation = db.prepare('SELECT rowid FROM correlations WHERE id = ?');
    this.#removeCorrelation = db.prepare('DELETE FROM correlations WHERE rowid = ?');
    this.#clearIds = db.prepare('DELETE FROM correlation_ids WHERE document = ?');
    this.#insertId = db.prepare('INSERT OR IGNORE INTO correlation_ids VALUES (?, ?)');
    this.fill = new FillTable(db);
    this.#count = db.prepare('UPDATE counts SET value = value + ? WHERE name = ?');
  }

  index(events: readonly PlacedEvent[]): void {
    this.#transaction(() => {
      const first = this.#nextRowid();
      let rowid = first;
      // For plain ASCII messages FTS5's tokenizer finds the same words as tokenize(), so it reads them from the rows, which saves splitting
      // and passing every message. `unread` is the first row whose words are not indexed yet. Rows must be indexed by rowid.
      let unread = first;
      for (const e of events) {
        const { changes } = this.#insertEvent.run(
          rowid,
          e.id,
          e.timestamp,
          ranks.get(e.level)!,
          e.service,
          e.host,
          e.message,
          e.correlationId,
          e.correlationKind,
          e.traceId,
          e.spanId,
          e.attributes,
          e.partition,
          e.offset,
        );
        if (changes === 0) continue;
        if (!plainAscii.test(e.message)) {
          if (unread < rowid) this.#insertWordsOfRows.run(unread, rowid - 1);
          this.#insertWords.run(rowid, tokenize(e.message).join(' '));
          unread = rowid + 1;
        }
        rowid++;
      }
      if (unread < rowid) this.#insertWordsOfRows.run(unread, rowid - 1);
      this.#count.run(rowid - first, 'events');
    });
  }

  indexCorrelations(documents: readonly Correlation[]): void {
    this.#transaction(() => {
      let added = 0;
      for (const document of documents) {
        const c = { ...correlationDefaults, ...document };
        if (c.joinedInto !== null) {
          added -= this.#remove(c.id);
          continue;
        }
        const ids = [c.correlationId, ...c.ids];
        if (this.#hasCorrelation.get(c.id) === undefined) added++;
        const mask = levels.reduce(
          (sum, level, rank) => ((c.levels[level] ?? 0) > 0 ? sum | (1 << rank) : sum),
          0,
        );
        const row = this.#upsertCorrelation.get(
          c.id,
          c.correlationId,
          c.kind,
          c.revision,
          c.closeReason,
          c.firstAt,
          c.lastAt,
          (c.lastAt - c.firstAt) / 1000,
          c.memberDeltas.length,
          (c.levels['error'] ?? 0) + (c.levels['fatal'] ?? 0),
          mask,
          c.severity,
          c.partition,
          JSON.stringify(c.services),
          JSON.stringify(c.rules),
          JSON.stringify(document),
          JSON.stringify(ids),
          JSON.stringify(c.labels),
          c.shape === '' ? null : c.shape,
        ) as { rowid: number } | undefined;
        if (row === undefined) continue;
        this.#clearIds.run(row.rowid);
        for (const id of ids) this.#insertId.run(id, row.rowid);
      }
      this.#count.run(added, 'correlations');
    });
  }

  /** Its members are those of another document. Returns how many documents were removed: 1 or 0. */
  #remove(id: string): number {
    const row = this.#hasCorrelation.get(id) as { rowid: number } | undefined;
    if (row === undefined) return 0;
    this.#clearIds.run(row.rowid);
    this.#removeCorrelation.run(row.rowid);
    return 1;
  }

  /** Returns the number of events that were removed. */
  deleteBefore(micros: number): number {
    let total = 0;
    // Written first: after a crash, nobody expects the half-removed events to be there.
    this.fill.noteRemoved(micros);
    for (;;) {
      const removed = this.#transaction(() => this.#deleteStep(micros));
      total += removed;
      if (removed < deleteStep) break;
    }
    this.#transaction(() => {
      this.#db
        .prepare(
          'DELETE FROM correlation_ids WHERE document IN (SELECT rowid FROM correlations WHERE last_at < ?)',
        )
        .run(micros);
      const { changes } = this.#db.prepare('DELETE FROM correlations WHERE last_at < ?').run(micros);
      this.#count.run(-Number(changes), 'correlations');
    });
    return total;
  }

  #deleteStep(micros: number): number {
    const oldest = 'SELECT rowid FROM events WHERE ts < ? ORDER BY ts LIMIT ?';
    this.#db.prepare(`DELETE FROM events_fts WHERE rowid IN (${oldest})`).run(micros, deleteStep);
    const { changes } = this.#db
      .prepare(`DELETE FROM events WHERE rowid IN (${oldest})`)
      .run(micros, deleteStep);
    this.#count.run(-Number(changes), 'events');
    return Number(changes);
  }

  #nextRowid(): number {
    return ((this.#lastRowid.get() as { rowid: number | null }).rowid ?? 0) + 1;
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}
