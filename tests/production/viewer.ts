import { WebSocket } from 'ws';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SeenEvent {
  id: string;
  timestamp: string;
  message: string;
  traceId?: string;
  partition: number;
  offset: number;
}

interface ServerMessage {
  type: string;
  cursor?: string;
  to?: string;
  missed?: number;
  reason?: string;
  mode?: string;
  code?: string;
  events?: SeenEvent[];
}

/** A live viewer as the interface describes it: when its connection ends, it comes back with its cursor. */
export class Viewer implements AsyncDisposable {
  readonly filter: string;
  readonly events: SeenEvent[] = [];
  /** What a viewer who misses nothing never gets: gaps, modes other than full, errors. */
  readonly complaints: ServerMessage[] = [];
  connections = 0;
  readonly #url: string;
  #cursor: string | undefined;
  #socket: WebSocket | undefined;
  #closed = false;
  #running: Promise<void> | undefined;

  private constructor(url: string, filter: string) {
    this.#url = `${url.replace('http', 'ws')}/live`;
    this.filter = filter;
  }

  /** Resolves when the subscription has begun: what is ingested from now on is seen. */
  static async open(url: string, filter: string): Promise<Viewer> {
    const viewer = new Viewer(url, filter);
    await new Promise<void>((resolve) => {
      viewer.#running = viewer.#run(resolve);
    });
    return viewer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#socket?.terminate();
    await this.#running;
  }

  async #run(onSubscribed: () => void): Promise<void> {
    while (!this.#closed) {
      await this.#connect(onSubscribed);
      await sleep(100);
    }
  }

  /** Resolves when the connection has ended, for whatever reason. */
  async #connect(onSubscribed: () => void): Promise<void> {
    const socket = new WebSocket(this.#url, ['logloom.v1']);
    this.#socket = socket;
    const from = this.#cursor === undefined ? 'now' : { cursor: this.#cursor };
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'subscribe', id: 'v', filter: this.filter, from })),
    );
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as ServerMessage;
      this.#take(message);
      if (message.type === 'subscribed') {
        this.connections++;
        onSubscribed();
      }
    });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('close', resolve));
  }

  #take(message: ServerMessage): void {
    if (message.events !== undefined) this.events.push(...message.events);
    const isComplaint =
      message.type === 'gap' ||
      message.type === 'error' ||
      (message.type === 'mode' && message.mode !== 'full');
    if (isComplaint) this.complaints.push(message);
    this.#cursor = (message.type === 'gap' ? message.to : message.cursor) ?? this.#cursor;
  }
}
