import type { Message } from './message.ts';
import { isOwn, markOf, type ReceivedEvent } from './received-event.ts';

/** What one message of the server says about the run's events. It is shared by all viewers that get the same bytes. */
export interface Frame extends Omit<Message, 'events'> {
  /** Of the run's events: numbers, partitions and offsets, each at the same position. */
  numbers: Int32Array;
  partitions: Int32Array;
  offsets: Float64Array;
  /** Events whose content is not what was sent: number and what differs. */
  corrupted: readonly { n: number; detail: string }[];
}

/** What a viewer looks for in events. */
export interface Looking {
  run: string;
  /** Says what differs from what was sent; undefined: nothing. */
  check: (n: number, event: ReceivedEvent) => string | undefined;
  /** The sender of an event that has no place in a log: its events are in the order of their numbers. */
  senderOf: (n: number) => number;
  /** Left out: the target sends only what the viewer's filter matches. */
  isWatched?: ((n: number) => boolean) | undefined;
}

/** Viewers of a filter get a frame at nearly the same time; one who is far behind costs a parse. */
const rememberedFrames = 512;

/**
 * Parses each message once, however many viewers get it: a server sends the same frame to all viewers of a filter. Otherwise the load test
 * would measure its own parser.
 */
export class FrameReader {
  readonly #decode: (bytes: Buffer) => Message;
  readonly #looking: Looking;
  readonly #byLength = new Map<number, { bytes: Buffer; frame: Frame }[]>();
  readonly #order: number[] = [];

  constructor(decode: (bytes: Buffer) => Message, looking: Looking) {
    this.#decode = decode;
    this.#looking = looking;
  }

  /** Throws SyntaxError for what cannot be decoded. */
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
    const { run, check, senderOf, isWatched = () => true } = this.#looking;
    const { events, ...message } = this.#decode(bytes);
    const own = events.filter((event) => isOwn(event, run) && isWatched(markOf(event)!.n));
    const numbers = Int32Array.from(own, (event) => markOf(event)!.n);
    const corrupted = own.flatMap((event, i) => {
      const detail = check(numbers[i]!, event);
      return detail === undefined ? [] : [{ n: numbers[i]!, detail }];
    });
    return {
      ...message,
      numbers,
      partitions: Int32Array.from(own, ({ partition }, i) => partition ?? senderOf(numbers[i]!)),
      offsets: Float64Array.from(own, ({ offset }, i) => offset ?? numbers[i]!),
      corrupted,
    };
  }
}
