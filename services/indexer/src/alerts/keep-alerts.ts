import type { Assignment, EventLog, PartitionHandler } from '@logloom/event-log';
import type { Serde } from '@logloom/schema-registry';
import { epochHeader, topics } from '@logloom/schemas';
import type { Logger } from '@logloom/telemetry';
import { AlertBook, type AlertChange, type OwnRecord } from './alert-book.ts';
import type { AlertState } from './alert-state.ts';
import { AlertLogReader } from './alert-log-reader.ts';
import { formatToldUpTo, parseToldUpTo, type ToldUpTo } from './told-up-to.ts';

export interface KeepAlertsDeps {
  log: EventLog;
  serde: Serde;
  logger: Pick<Logger, 'error'>;
  /**
   * Tells receivers of alerts as they are after a change, durably. One may come again, after a crash or when another process takes over the
   * book: with a revision that is not higher.
   */
  tell: (alerts: readonly AlertState[]) => Promise<void>;
  /** Called after each look with the book and what has changed, and without a book when it goes to another owner. */
  observe?: (book: AlertBook | undefined, changes: readonly AlertChange[]) => void;
  limitBytes: number;
  /** How long the log keeps records, ms; undefined: forever. */
  retentionMs: number | undefined;
  /** The machine's clock in ms. */
  nowMs: () => number;
}

const betweenLooksMs = 1000;
const oldNewsMs = 15 * 60_000;
/** What still goes on is repeated when its records have reached this share of the retention. */
const repeatedShare = 1 / 4;

/**
 * Wraps the handler of partition 0 of logs.alerts: whoever is assigned it owns the alert book. It reads all partitions, appends what alerts
 * do by themselves, and hands on the changes, from where the commit's metadata says that they were handed on before.
 */
export async function keepAlerts(
  deps: KeepAlertsDeps,
  assignment: Assignment,
  open: (assignment: Assignment) => PartitionHandler,
): Promise<PartitionHandler> {
  const { log, nowMs } = deps;
  const { committed } = assignment;
  let position = committed?.offset ?? (await log.startOffsets(topics.alerts))[0]!;
  const told = parseToldUpTo(committed?.metadata);
  const from = told ?? (await oldNewsUpTo(deps));
  // Before anything is handed on or appended: an owner that follows, however late, must not take what happens from now on for old news.
  if (told === undefined) await assignment.commit(position, formatToldUpTo(from));
  const keeper = new AlertKeeper(deps);
  await keeper.start(from);
  const commit = async (offset: number): Promise<void> => {
    position = offset;
    await assignment.commit(offset, formatToldUpTo(keeper.toldUpTo));
  };
  const inner = open({ ...assignment, commit });
  let nextLookMs = -Infinity;
  return {
    ...inner,
    process: async (records) => {
      // First, so that the commit of these records says how far changes were handed on.
      await keeper.look();
      await inner.process(records);
    },
    idle: async () => {
      await inner.idle?.();
      if (nowMs() < nextLookMs) return;
      nextLookMs = nowMs() + betweenLooksMs;
      if (await keeper.look()) await commit(position);
    },
    close: async () => {
      deps.observe?.(undefined, []);
      await inner.close?.();
    },
  };
}

/** Where the first owner begins, also after an upgrade: what happened longer ago is not handed on. */
async function oldNewsUpTo({ log, nowMs }: Pick<KeepAlertsDeps, 'log' | 'nowMs'>): Promise<ToldUpTo> {
  const atMs = nowMs() - oldNewsMs;
  return { offsets: await log.offsetsByTime(topics.alerts, atMs), atMs };
}

/** The owner's side of the book. */
class AlertKeeper {
  readonly #deps: KeepAlertsDeps;
  readonly #book: AlertBook;
  readonly #reader: AlertLogReader;
  #toldAtMs = 0;
  #repeatAtMs = -Infinity;

  constructor(deps: KeepAlertsDeps) {
    this.#deps = deps;
    const { limitBytes, logger } = deps;
    let isLogged = false;
    this.#book = new AlertBook({
      limitBytes,
      onDropped: () => {
        if (isLogged) return;
        isLogged = true;
        logger.error({ limitBytes }, 'the alert book is full: nobody is told of alerts that are new');
      },
    });
    this.#reader = new AlertLogReader(deps, this.#book);
  }

  get toldUpTo(): ToldUpTo {
    return { offsets: this.#reader.positions, atMs: this.#toldAtMs };
  }

  /** Rebuilds the book from the log, without telling what became of alerts that are over. */
  async start({ offsets, atMs }: ToldUpTo): Promise<void> {
    await this.#reader.readTo(offsets);
    this.#book.tick(atMs);
    this.#toldAtMs = atMs;
    // Whoever tells people may have lost what it knew.
    const firing = this.#book.alerts().filter(({ state }) => state === 'firing');
    if (firing.length > 0) await this.#deps.tell(firing);
  }

  /** Reads what is new, hands on the changes, and appends what is due. Returns whether a commit has something new to say. */
  async look(): Promise<boolean> {
    const { nowMs, tell, observe } = this.#deps;
    const before = this.#reader.positions.join();
    const changes = await this.#reader.readTo();
    const lookedAtMs = nowMs();
    changes.push(...this.#book.tick(lookedAtMs));
    if (changes.length > 0) await tell(changes.map(({ alert }) => alert));
    this.#toldAtMs = lookedAtMs;
    observe?.(this.#book, changes);
    await this.#append(this.#book.due());
    await this.#repeat();
    return changes.length > 0 || this.#reader.positions.join() !== before;
  }

  /** Repeats what still goes on before retention removes it. */
  async #repeat(): Promise<void> {
    const { log, serde, retentionMs, nowMs } = this.#deps;
    if (retentionMs === undefined || nowMs() < this.#repeatAtMs) return;
    const everyMs = retentionMs * repeatedShare;
    this.#repeatAtMs = nowMs() + everyMs;
    await this.#append(this.#book.continued(nowMs() - everyMs));
    const values = [
      ...this.#book
        .silences()
        .flatMap(({ silence, state }) => (state === 'expired' ? [] : [serde.encode('Silence', silence)])),
      ...this.#book.acknowledgements().map((each) => serde.encode('Acknowledgement', each)),
    ];
    if (values.length > 0)
      await log.append(
        topics.alerts,
        values.map((value) => ({ partition: 0, key: null, value })),
      );
  }

  async #append(records: readonly OwnRecord[]): Promise<void> {
    const { log, serde } = this.#deps;
    if (records.length === 0) return;
    await log.append(
      topics.alerts,
      records.map(({ partition, epoch, alert }) => ({
        partition,
        key: alert.fingerprint,
        value: serde.encode('Alert', alert),
        ...(epoch === undefined ? {} : { headers: { [epochHeader]: epoch } }),
      })),
    );
  }
}
