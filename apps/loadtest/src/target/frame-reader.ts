/** What one message of the server says about the run's events. It is shared by all viewers that get the same bytes. */
export interface Frame {
  type: string;
  cursor: string | null;
  channel: number;
  /** Of the run's events: numbers, partitions and offsets, each at the same position. */
  numbers: Int32Array;
  partitions: Int32Array;
  offsets: Float64Array;
  /** Events whose content is not what was sent: number and what differs. */
  corrupted: readonly { n: number; detail: string }[];
  /** Events left out, by a gap that counts them exactly. */
  missed: number;
  /** The message itself, where it is none of events. */
  message: Record<string, unknown> | null;
}

interface ReceivedEvent {
  service?: string;
  level?: string;
  message?: string;
  correlationId?: string;
  partition?: number;
  offset?: number;
  attributes?: { loadtest?: { run: string; n: number } };
}

/** Says what differs from what was sent; undefined: nothing. */
export type ContentCheck = (n: number, event: ReceivedEvent) => string | undefined;

/** Viewers of a filter get a frame at nearly the same time; one who is far behind costs a parse. */
const rememberedFrames = 512;

/**
 * Parses each message once, however many viewers get it: a server sends the same frame to all viewers of a filter. Otherwise the load test
 * would measure its own parser.
 */
export class FrameReader {
  readonly #run: string;
  readonly #check: ContentCheck;
  readonly #byLength = new Map<number, { bytes: Buffer; frame: Frame }[]>();
  readonly #order: number[] = [];

  constructor(run: string, check: ContentCheck) {
    this.#run = run;
    this.#check = check;
  }

  /** Throws SyntaxError for what is not JSON. */
  read(bytes: Buffer): Frame {
    // The latest first: most frames of a length differ in few bytes, and that of now is nearly always the last.
    const known = this.#byLength.get(bytes.length)?.findLast((each) => each.bytes.equals(bytes));
    if (known !== undefined) return known.frame;
    const frame = this.#parse(bytes);
    // A copy: what a socket gives is a part of a larger buffer.
    const kept = { bytes: Buffer.from(bytes), frame };
    const sameLength = this.#byLength.get(bytes.length);
    if (sameLength === undefined) this.#byLength.set(bytes.length, [kept]);
    else sameLength.push(kept);
    this.#order.push(bytes.length);
    if (this.#order.length > rememberedFrames) this.#forgetOldest();
    return frame;
  }

  #forgetOldest(): void {
    const length = this.#order.shift()!;
    const sameLength = this.#byLength.get(length)!;
    sameLength.shift();
    if (sameLength.length === 0) this.#byLength.delete(length);
  }

  #parse(bytes: Buffer): Frame {
    const message = JSON.parse(bytes.toString()) as Record<string, unknown> & {
      type: string;
      cursor?: string;
      to?: string;
      channel?: number;
      missed?: number;
      reason?: string;
      events?: ReceivedEvent[];
    };
    const isEvents = message.type === 'events';
    const own = (isEvents ? (message.events ?? []) : []).filter(
      ({ attributes }) => attributes?.loadtest?.run === this.#run,
    );
    const numbers = Int32Array.from(own, ({ attributes }) => attributes!.loadtest!.n);
    const corrupted = own.flatMap((event, i) => {
      const detail = this.#check(numbers[i]!, event);
      return detail === undefined ? [] : [{ n: numbers[i]!, detail }];
    });
    return {
      type: message.type,
      cursor: message.cursor ?? (message.type === 'gap' ? (message.to ?? null) : null),
      channel: message.channel ?? -1,
      numbers,
      partitions: Int32Array.from(own, ({ partition }) => partition ?? -1),
      offsets: Float64Array.from(own, ({ offset }) => offset ?? -1),
      corrupted,
      missed: message.type === 'gap' && message.reason === 'slow' ? (message.missed ?? 0) : 0,
      message: isEvents ? null : message,
    };
  }
}
