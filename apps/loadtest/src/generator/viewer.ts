import type { ExpectedEvents } from '../oracle/expected.ts';
import { ViewerLedger, type Bounds, type FoundFault } from '../oracle/viewer-ledger.ts';
import { isSlowReader, type SessionPlan, type StallPlan, type ViewerKind } from '../scenario/viewer-kind.ts';
import type { Frame, FrameReader } from '../target/frame-reader.ts';
import type { Target, ViewerConnection, Viewing } from '../target/target.ts';
import type { TickWheel } from './tick-wheel.ts';

/** What a viewer needs of its process. */
export interface ViewerSurroundings {
  target: Target;
  reader: FrameReader;
  viewing: Omit<Viewing, 'from'>;
  /** Where it begins: a cursor, or `now`. */
  begin: string;
  /** What calls it back. */
  wheel: TickWheel;
  /** In ms, always rising. */
  nowMs: () => number;
  /** How many events are due by now: none with a higher number can have been sent. */
  dueNow: () => number;
  /** Asked when it watches for the first time: from which number on it has to get what matches. */
  certainFrom: () => number;
  onConnected: (ms: number, is: { returned: boolean; resumed: boolean }) => void;
  /** Events with lower numbers than `timedFrom` came late by the scenario's will, not by the target's. */
  onDelivery: (frame: Frame, bytes: number, timedFrom: number) => void;
  onEnd: (reason: string, wasWatching: boolean) => void;
  /** It has left, and another one comes in its place after so many ms. */
  onSessionOver: (thinkMs: number) => void;
  onFault: (fault: FoundFault) => void;
}

/** What is missing was due some frames before it is noticed, as partitions come in no order between them. */
const rememberedCursors = 8;
const firstRetryMs = 100;
const longestRetryMs = 5_000;
/** A slow reader that is ahead by less reads on. */
const readAheadMs = 50;
/** As many intervals of heartbeats without a message end a connection, as docs/api/live-protocol.md asks of clients. */
const silentHeartbeats = 2.5;
/** How long nothing may come before the stream has begun. */
const longestBeginMs = 30_000;

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
  /** Counts beginnings and ends: a call that was asked for before the latest one no longer applies. */
  #life = 0;
  #isThinking = false;
  #isReadingOn = false;
  /** When a slow reader has read what it got. */
  #readUntilMs = 0;
  #isPaused = false;
  #isStalled = false;
  /** Whether the target has said how often it sends them, on this connection. */
  #hasHeartbeats = false;
  /** How long nothing may come. */
  #silenceMs = Infinity;
  #heardAtMs = 0;
  readonly #ledger: ViewerLedger;
  readonly #around: ViewerSurroundings;
  /** Undefined: it has never watched. */
  #certainFrom: number | undefined;
  #certainBefore = Infinity;
  #timedFrom = Infinity;

  constructor(number: number, kind: ViewerKind, expected: ExpectedEvents, around: ViewerSurroundings) {
    this.number = number;
    this.kind = kind;
    this.#around = around;
    this.#ledger = new ViewerLedger(expected, around.onFault);
  }

  get isWatching(): boolean {
    return this.#isWatching;
  }

  get hasLeft(): boolean {
    return this.#isLeaving;
  }

  /** Away by its own will. */
  get isThinking(): boolean {
    return this.#isThinking;
  }

  open(): void {
    const { target, reader, viewing, begin, onDelivery } = this.#around;
    this.#life++;
    this.#silenceMs = longestBeginMs;
    this.#heardAtMs = this.#around.nowMs();
    this.#connection = target.connect({ ...viewing, from: this.cursor ?? begin }, reader, {
      onSubscribed: (ms, isResumed) => this.#subscribed(ms, isResumed),
      onFrame: (frame, bytes) => {
        this.#heard(frame);
        this.#receive(frame);
        onDelivery(frame, bytes, this.#timedFrom);
        if (this.kind.readBytesPerSecond !== undefined) this.#readSlowly(bytes, this.kind.readBytesPerSecond);
      },
      onEnd: (reason) => this.#lost(reason),
    });
  }

  /** Gives up a connection from which nothing comes any more, not even heartbeats; one that does not read hears nothing. */
  endIfSilent(): void {
    if (this.#connection === undefined || this.#isStalled || this.#isPaused) return;
    if (this.#around.nowMs() - this.#heardAtMs <= this.#silenceMs) return;
    this.#connection.cut();
    this.#lost('no heartbeat');
  }

  /** Cuts the connection; it comes back. */
  cut(): void {
    if (this.#connection === undefined) return;
    this.#connection.cut();
    this.#ended();
    this.#openLater();
  }

  /** Stalls and thinks no more: what it has not read is not lost. */
  readOn(): void {
    this.#isReadingOn = true;
    if (this.#isThinking) this.#return();
    this.#isPaused = false;
    this.#resume();
  }

  /** Goes for good. Events from this number on may not have arrived. */
  leave(certainBefore: number): void {
    this.#isLeaving = true;
    this.#certainBefore = Math.min(this.#certainBefore, certainBefore);
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

  #lost(reason: string): void {
    const wasWatching = this.#isWatching;
    this.#ended();
    this.#around.onEnd(reason, wasWatching);
    if (!this.#isLeaving) this.#openLater();
  }

  #heard({ type, message }: Frame): void {
    this.#heardAtMs = this.#around.nowMs();
    if (type === 'hello' && typeof message?.heartbeatMs === 'number') this.#beatsEvery(message.heartbeatMs);
  }

  #beatsEvery(ms: number): void {
    this.#hasHeartbeats = true;
    this.#silenceMs = ms * silentHeartbeats;
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

  #subscribed(ms: number, isResumed: boolean): void {
    const { dueNow, certainFrom, onConnected } = this.#around;
    const { stall, sessions } = this.kind;
    const isFirst = this.#certainFrom === undefined;
    this.#isWatching = true;
    this.#failures = 0;
    if (!this.#hasHeartbeats) this.#silenceMs = Infinity;
    onConnected(ms, { returned: !isFirst, resumed: isResumed });
    this.#certainFrom ??= certainFrom();
    if (isFirst || this.#isThinking) this.#timedFrom = isSlowReader(this.kind) ? Infinity : dueNow();
    this.#isThinking = false;
    if (this.#isReadingOn) return;
    if (stall !== undefined) this.#stallLater(stall);
    if (sessions !== undefined) this.#later(around(sessions.watchSeconds), () => this.#think(sessions));
  }

  #ended(): void {
    this.#life++;
    this.#connection = undefined;
    this.#isWatching = false;
    this.#isPaused = false;
    this.#isStalled = false;
    this.#hasHeartbeats = false;
  }

  #openLater(): void {
    const wait = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++) * (0.5 + Math.random() / 2);
    this.#later(wait, () => this.open());
  }

  #think({ think, resume }: SessionPlan): void {
    if (this.#isReadingOn) return;
    const thinkMs = around(oneOf(think).seconds);
    this.#isThinking = true;
    if (resume === 'now') return this.#around.onSessionOver(thinkMs);
    this.#connection?.cut();
    this.#ended();
    this.#later(thinkMs, () => this.#return());
  }

  /** Remains one who thinks until it watches. */
  #return(): void {
    if (this.#connection === undefined && !this.#isLeaving) this.open();
  }

  #stallLater(stall: StallPlan): void {
    this.#later(stall.everySeconds * 1_000, () => {
      if (this.#isReadingOn) return;
      this.#isStalled = true;
      this.#connection?.pause();
      this.#later(stall.seconds * 1_000, () => {
        this.#resume();
        if (!this.#isReadingOn) this.#stallLater(stall);
      });
    });
  }

  #readSlowly(bytes: number, bytesPerSecond: number): void {
    const now = this.#around.nowMs();
    this.#readUntilMs = Math.max(now, this.#readUntilMs) + (bytes / bytesPerSecond) * 1_000;
    if (!this.#isPaused && !this.#isReadingOn) this.#pauseUntilRead();
  }

  #pauseUntilRead(): void {
    const wait = this.#readUntilMs - this.#around.nowMs();
    this.#isPaused = wait > readAheadMs && !this.#isReadingOn;
    if (!this.#isPaused) return this.#resume();
    this.#connection?.pause();
    this.#later(wait, () => this.#pauseUntilRead());
  }

  #resume(): void {
    this.#isStalled = false;
    // What it has not read comes only now.
    this.#heardAtMs = this.#around.nowMs();
    this.#connection?.resume();
  }

  /** Calls back, if until then it has neither begun a connection nor lost one. */
  #later(ms: number, callback: () => void): void {
    const life = this.#life;
    this.#around.wheel.after(ms, () => {
      if (life === this.#life && !this.#isLeaving) callback();
    });
  }
}

/** From half of the mean to one and a half, in ms. */
function around(seconds: number): number {
  return seconds * 1_000 * (0.5 + Math.random());
}

function oneOf<T extends { weight: number }>(choices: readonly T[]): T {
  let at = Math.random() * choices.reduce((sum, { weight }) => sum + weight, 0);
  return choices.find(({ weight }) => (at -= weight) < 0) ?? choices.at(-1)!;
}
