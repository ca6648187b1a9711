import { topics } from '@logloom/schemas';
import { ApiError } from '../errors.ts';
import { AlertBook } from './alert-book.ts';
import { AlertLogReader, type AlertLog } from './alert-log-reader.ts';

export interface AlertViewOptions {
  limitBytes: number;
  /** The machine's clock in ms. */
  nowMs: () => number;
  /** How long one who asks waits for the reading of the log; default 10 s. */
  waitMs?: number;
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

  /**
   * The book with every record that the log had when this was called. Rejects when the log does not answer, and with ApiError `starting`
   * when so much is to be read that it takes longer than `waitMs`: the reading goes on.
   */
  async current(): Promise<AlertBook> {
    const { waitMs = 10_000 } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new ApiError('starting', 'the alerts are still being read from the log; try again');
      timer = setTimeout(reject, waitMs, error);
    });
    return Promise.race([this.#newest(), late]).finally(() => clearTimeout(timer));
  }

  async #newest(): Promise<AlertBook> {
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
