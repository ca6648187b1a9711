import { holdClientMessage, holdServerMessage } from '@logloom/runtime/testing/hold-contract';
import type { Level } from '@logloom/schemas';
import { eventually } from '@logloom/testing';
import { WebSocket, type ClientOptions } from 'ws';
import { parseClientMessage } from '../protocol/client-message.ts';

export interface ReceivedEvent {
  id: string;
  message: string;
  partition: number;
  offset: number;
  [field: string]: unknown;
}

export interface ServerMessage {
  type: string;
  id?: string;
  code?: string;
  channel?: number;
  cursor?: string;
  resumed?: boolean;
  position?: number;
  missed?: number;
  reason?: string;
  mode?: string;
  counts?: Partial<Record<Level, number>>;
  from?: string;
  to?: string;
  retryAfterMs?: number;
  message?: string;
  heartbeatMs?: number;
  events?: ReceivedEvent[];
  correlations?: { id: string }[];
}

/** For tests: a client that keeps every message. */
export class LiveClient {
  readonly ws: WebSocket;
  readonly messages: ServerMessage[] = [];
  closeCode: number | undefined;

  constructor(port: number, options: ClientOptions = {}) {
    // Without compression, unless a test is about it: the bytes of a message are then what its text says.
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/live`, ['logloom.v1'], {
      perMessageDeflate: false,
      ...options,
    });
    this.ws.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as ServerMessage;
      holdServerMessage(message);
      this.messages.push(message);
    });
    this.ws.on('close', (code) => (this.closeCode = code));
    this.ws.on('error', () => {});
  }

  static async open(port: number, options: ClientOptions = {}): Promise<LiveClient> {
    const client = new LiveClient(port, options);
    await client.first('hello');
    return client;
  }

  send(message: unknown): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    holdClientMessage(text, parseClientMessage(text).ok);
    this.ws.send(text);
  }

  async subscribe(
    fields: { id?: string; filter?: string; stream?: string; from?: unknown } = {},
  ): Promise<ServerMessage> {
    const id = fields.id ?? 'a';
    this.send({ type: 'subscribe', ...fields, id });
    return this.first('subscribed', (message) => message.id === id);
  }

  /** The first message of a type, waited for. */
  async first(
    type: string,
    accept: (message: ServerMessage) => boolean = () => true,
  ): Promise<ServerMessage> {
    const find = (): ServerMessage | undefined => this.messages.find((m) => m.type === type && accept(m));
    await eventually(
      `a ${type} message; got ${JSON.stringify(this.messages.slice(-3))}`,
      () => find() !== undefined,
    );
    return find()!;
  }

  get events(): ReceivedEvent[] {
    return this.messages.flatMap((message) => message.events ?? []);
  }

  get texts(): string[] {
    return this.events.map((event) => event.message);
  }

  /** The cursor to come back with: that of the last message that has one. */
  get cursor(): string | undefined {
    const last = this.messages.findLast((message) => message.cursor !== undefined || message.type === 'gap');
    return last?.type === 'gap' ? last.to : last?.cursor;
  }

  async texted(count: number): Promise<string[]> {
    await eventually(`${count} events; got ${this.events.length}`, () => this.events.length >= count);
    return this.texts;
  }
}
