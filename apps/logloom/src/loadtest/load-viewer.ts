import { WebSocket } from 'ws';

/** The content of a frame of the load test's own events. */
interface Frame {
  payload: Buffer;
  count: number;
  sum: number;
  /** When each was sent, in ms since the epoch. */
  sentAt: number[];
  missed: number;
}

const remembered = 256;

/**
 * Reads frames: one frame goes to all viewers of a filter, so that each is parsed once however many viewers get it. Counting must be
 * cheap, or the load test would measure itself.
 */
export class FrameReader {
  readonly #byLength = new Map<number, Frame[]>();
  readonly #order: Frame[] = [];
  readonly #run: string;

  /** `run` marks the events that are the load test's own. */
  constructor(run: string) {
    this.#run = run;
  }

  read(payload: Buffer): Frame {
    const known = this.#byLength.get(payload.length)?.find((frame) => frame.payload.equals(payload));
    if (known !== undefined) return known;
    const frame = this.#parse(payload);
    this.#order.push(frame);
    const sameLength = this.#byLength.get(payload.length);
    if (sameLength === undefined) this.#byLength.set(payload.length, [frame]);
    else sameLength.push(frame);
    if (this.#order.length > remembered) this.#forget(this.#order.shift()!);
    return frame;
  }

  #forget(frame: Frame): void {
    const { length } = frame.payload;
    const rest = this.#byLength.get(length)!.filter((other) => other !== frame);
    if (rest.length === 0) this.#byLength.delete(length);
    else this.#byLength.set(length, rest);
  }

  #parse(payload: Buffer): Frame {
    const message = JSON.parse(payload.toString()) as {
      type: string;
      missed?: number;
      events?: { attributes: { loadtest?: { run: string; n: number; at: number } } }[];
    };
    const events = message.type === 'events' ? (message.events ?? []) : [];
    const own = events
      .map(({ attributes }) => attributes.loadtest)
      .filter((mark) => mark !== undefined && mark.run === this.#run);
    return {
      payload,
      count: events.length,
      sum: own.reduce((sum, mark) => sum + mark!.n, 0),
      sentAt: own.map((mark) => mark!.at),
      missed: message.type === 'gap' ? (message.missed ?? 0) : 0,
    };
  }
}

export interface LoadViewerOptions {
  url: string;
  filter: string;
  token: string | undefined;
  reader: FrameReader;
  onLatency: (ms: number) => void;
}

/** One viewer that counts. */
export class LoadViewer {
  received = 0;
  /** The sum of the numbers of the load test's own events: together with the count it reveals a lost event that a duplicate would hide. */
  sum = 0;
  missed = 0;
  closed = false;
  #socket: WebSocket | undefined;

  /** Connects and subscribes. Rejects if it is refused. */
  open({ url, filter, token, reader, onLatency }: LoadViewerOptions): Promise<void> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, 'logloom.v1', {
      headers,
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.on('open', () =>
        socket.send(JSON.stringify({ type: 'subscribe', id: 'a', filter, from: 'now' })),
      );
      socket.on('error', reject);
      socket.on('close', (code) => {
        this.closed = true;
        reject(new Error(`closed with ${code}`));
      });
      let watching = false;
      socket.on('message', (data: Buffer) => {
        if (!watching) {
          const message = JSON.parse(data.toString()) as { type: string; message?: string };
          if (message.type === 'error') reject(new Error(message.message));
          if (message.type !== 'subscribed') return;
          watching = true;
          return resolve();
        }
        const frame = reader.read(data);
        this.received += frame.count;
        this.sum += frame.sum;
        this.missed += frame.missed;
        if (frame.sentAt.length === 0) return;
        const now = performance.timeOrigin + performance.now();
        for (const at of frame.sentAt) onLatency(now - at);
      });
    });
  }

  close(): void {
    this.#socket?.terminate();
  }
}
