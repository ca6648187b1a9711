import { topics } from '@logloom/schemas';
import { AlertBook } from './alert-book.ts';
import { AlertLogReader, type AlertLog } from './alert-log-reader.ts';

export interface AlertViewOptions {
  limitBytes: number;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

/**
 * The alert book of a process that answers questions. It is brought up to date whenever it is asked for, so that whoever has just appended
 * a silence, anywhere, finds it.
 */
export class AlertView {
  readonly #deps: AlertLog;
  readonly #options: AlertViewOptions;
  #opened: { epoch: string; book: AlertBook; reader: AlertLogReader } | undefined;
  #running: Promise<AlertBook> | undefined;
  #next: Promise<AlertBook> | undefined;

  constructor(deps: AlertLog, options: AlertViewOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The book with every record that the log had when this was called. Rejects when the log does not answer. */
  async current(): Promise<AlertBook> {
    // One that is running may have looked at the log's end already; all who come meanwhile share the next.
    this.#next ??= (this.#running ?? Promise.resolve(undefined))
      .catch(() => {})
      .then(() => {
        this.#running = this.#next;
        this.#next = undefined;
        return this.#refresh();
      });
    return this.#next;
  }

  async #refresh(): Promise<AlertBook> {
    const epoch = await this.#deps.log.epochOf(topics.alerts);
    if (this.#opened?.epoch !== epoch) {
      const book = new AlertBook({ limitBytes: this.#options.limitBytes });
      this.#opened = { epoch, book, reader: new AlertLogReader(this.#deps, book) };
    }
    const { book, reader } = this.#opened;
    await reader.readTo();
    book.tick(this.#options.nowMs());
    return book;
  }
}
