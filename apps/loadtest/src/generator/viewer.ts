import type { ExpectedEvents } from '../oracle/expected.ts';
import { ViewerLedger, type Bounds, type FoundFault } from '../oracle/viewer-ledger.ts';
import type { ViewerKind } from '../scenario/scenario.ts';
import type { Frame, FrameReader } from '../target/frame-reader.ts';
import type { Target, ViewerConnection } from '../target/target.ts';

/** What a viewer needs of its process. */
export interface ViewerSurroundings {
  target: Target;
  reader: FrameReader;
  filter: string;
  localAddress: string | undefined;
  /** How many events are due by now: none with a higher number can have been sent. */
  dueNow: () => number;
  onConnected: (ms: number, is: { returned: boolean; resumed: boolean }) => void;
  onDelivery: (frame: Frame, bytes: number) => void;
  onEnd: (reason: string, wasWatching: boolean) => void;
  onFault: (fault: FoundFault) => void;
}

/** What is missing was due some frames before it is noticed, as partitions come in no order between them. */
const rememberedCursors = 8;
const firstRetryMs = 100;
const longestRetryMs = 5_000;

/** One viewer of the scenario, over all its connections: it comes back with its cursor whenever it is cut. */
export class Viewer {
  readonly number: number;
  readonly kind: ViewerKind;
  cursor: string | null = null;
  /** Of the latest frames, the oldest first. */
  readonly #cursors: string[] = [];
  #connection: ViewerConnection | undefined;
  #isWatching = false;
  #isLeaving = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #stalling: NodeJS.Timeout | undefined;
  #isReadingOn = false;
  readonly #ledger: ViewerLedger;
  readonly #around: ViewerSurroundings;
  /** Undefined: it has never watched. */
  #certainFrom: number | undefined;
  #certainBefore = Infinity;

  constructor(number: number, kind: ViewerKind, expected: ExpectedEvents, around: ViewerSurroundings) {
    this.number = number;
    this.kind = kind;
    this.#around = around;
    this.#ledger = new ViewerLedger(expected, around.onFault);
  }

  get isWatching(): boolean {
    return this.#isWatching;
  }

  open(): void {
    const { target, filter, localAddress, reader, dueNow, onConnected, onDelivery, onEnd } = this.#around;
    const connection = target.connect(
      { filter, from: this.cursor ?? 'now', localAddress, compression: this.kind.compression },
      reader,
      {
        onSubscribed: (ms, isResumed) => {
          this.#isWatching = true;
          this.#failures = 0;
          onConnected(ms, { returned: this.#certainFrom !== undefined, resumed: isResumed });
          // Of those that are due now some may have been sent before.
          this.#certainFrom ??= dueNow() + 1;
          if (this.kind.stall !== undefined && !this.#isReadingOn) this.#stallLater(this.kind.stall);
        },
        onFrame: (frame, bytes) => {
          this.#receive(frame);
          onDelivery(frame, bytes);
        },
        onEnd: (reason) => {
          const wasWatching = this.#isWatching;
          this.#ended();
          onEnd(reason, wasWatching);
          if (!this.#isLeaving) this.#openLater();
        },
      },
    );
    this.#connection = connection;
  }

  /** Cuts the connection; it comes back. */
  cut(): void {
    if (this.#connection === undefined) return;
    this.#connection.cut();
    this.#ended();
    this.#openLater();
  }

  /** Stalls no more: what it has not read is not lost. */
  readOn(): void {
    this.#isReadingOn = true;
    clearTimeout(this.#stalling);
    this.#connection?.resume();
  }

  /** Goes for good. What was sent within `grace` events before may not have arrived. */
  leave(certainBefore: number): void {
    this.#isLeaving = true;
    this.#certainBefore = Math.min(this.#certainBefore, certainBefore);
    clearTimeout(this.#retry);
    this.#connection?.cut();
    this.#ended();
  }

  /** Its bounds when `sent` events were sent in all; undefined if it has never watched. */
  account(
    sent: number,
    isStored: Bounds['isStored'],
    onMissing?: (n: number) => void,
  ): ReturnType<ViewerLedger['close']> | undefined {
    if (this.#certainFrom === undefined) return undefined;
    const bounds = {
      certainFrom: this.#certainFrom,
      certainBefore: Math.min(this.#certainBefore, sent),
      isStored,
    };
    return onMissing === undefined
      ? this.#ledger.account(bounds)
      : this.#ledger.close({ ...bounds, onMissing });
  }

  #receive(frame: Frame): void {
    const { numbers, partitions, offsets, corrupted, missed, cursor, message } = frame;
    const before = this.#cursors[0] ?? null;
    for (let i = 0; i < numbers.length; i++)
      this.#ledger.received(numbers[i]!, partitions[i]!, offsets[i]!, before);
    for (const { n, detail } of corrupted)
      this.#around.onFault({
        kind: 'corrupted',
        event: n,
        partition: null,
        offset: null,
        cursor: before,
        detail,
      });
    if (missed > 0) this.#ledger.announced({ from: String(message?.from), to: String(message?.to), missed });
    if (cursor === null || cursor === this.cursor) return;
    this.cursor = cursor;
    this.#cursors.push(cursor);
    if (this.#cursors.length > rememberedCursors) this.#cursors.shift();
  }

  #ended(): void {
    this.#connection = undefined;
    this.#isWatching = false;
    clearTimeout(this.#stalling);
  }

  #openLater(): void {
    const wait = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++) * (0.5 + Math.random() / 2);
    this.#retry = setTimeout(() => this.open(), wait);
  }

  #stallLater(stall: { everySeconds: number; seconds: number }): void {
    const connection = this.#connection;
    this.#stalling = setTimeout(() => {
      connection?.pause();
      this.#stalling = setTimeout(() => {
        connection?.resume();
        this.#stallLater(stall);
      }, stall.seconds * 1_000);
    }, stall.everySeconds * 1_000);
  }
}
