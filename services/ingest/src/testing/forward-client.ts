import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An EventTime of the Forward protocol. */
export class EventTime {
  readonly seconds: number;
  readonly nanoseconds: number;
  constructor(seconds: number, nanoseconds: number) {
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
  }
}

/** Returns a value in MessagePack, as a logger would write it. */
export function pack(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.from([0xc0]);
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2]);
  if (value instanceof EventTime) {
    const bytes = Buffer.from([0xd7, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.writeUInt32BE(value.seconds, 2);
    bytes.writeUInt32BE(value.nanoseconds, 6);
    return bytes;
  }
  if (typeof value === 'number') return packNumber(value);
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(9, 0xcf);
    bytes.writeBigUInt64BE(value, 1);
    return bytes;
  }
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([
      text.length < 32 ? Buffer.from([0xa0 | text.length]) : head(0xdb, text.length),
      text,
    ]);
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([head(0xc6, value.length), value]);
  if (Array.isArray(value)) {
    const first = value.length < 16 ? Buffer.from([0x90 | value.length]) : head(0xdd, value.length);
    return Buffer.concat([first, ...value.map(pack)]);
  }
  const members = Object.entries(value);
  const first = members.length < 16 ? Buffer.from([0x80 | members.length]) : head(0xdf, members.length);
  return Buffer.concat([first, ...members.flatMap(([name, member]) => [pack(name), pack(member)])]);
}

function packNumber(value: number): Buffer {
  if (Number.isInteger(value) && value >= 0 && value < 128) return Buffer.from([value]);
  if (Number.isInteger(value) && value >= -32 && value < 0) return Buffer.from([value + 0x100]);
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return head(0xce, value);
  const bytes = Buffer.alloc(9, 0xcb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function head(type: number, length: number): Buffer {
  const bytes = Buffer.from([type, 0, 0, 0, 0]);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** A connection whose answers are collected. */
export class ForwardClient {
  readonly socket: Socket;
  readonly #received: Buffer[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#received.push(bytes));
    socket.on('error', () => {});
  }

  static async open(port: number): Promise<ForwardClient> {
    const socket = connect(port, '127.0.0.1');
    const client = new ForwardClient(socket);
    await once(socket, 'connect');
    return client;
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Ends the connection; resolves when the server has ended it too. */
  async end(bytes: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    this.socket.end(bytes);
    if (!this.socket.closed) await once(this.socket, 'close');
    return this.received;
  }
}
