import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { ViewerSocket, ViewerSocketOwner } from './viewer-socket.ts';

/** All sockets of the process read into it: what has come is looked at before anything else is read. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);
const handshakeTimeoutMs = 30_000;
const longestResponse = 16 * 1024;
/** A client's frames are masked to protect proxies from what a page may send (RFC 6455, section 5.3). Here is no page: any mask will do. */
const mask = randomBytes(4);
/** RFC 6455, section 1.3. */
const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const noStatus = 1005;
const abnormal = 1006;

export interface LeanWebSocketOptions {
  /** The subprotocol that the server has to take. */
  protocol: string | undefined;
  headers: Readonly<Record<string, string>>;
  localAddress: string | undefined;
}

/**
 * A WebSocket client (RFC 6455) for `ws:` without extensions. It does for thousands of connections what a load test needs, and nothing more:
 * no streams, no buffer of its own, no HTTP client. docs/adr/0039-a-lean-client-for-the-load-tests-viewers.md has what that saves.
 */
export class LeanWebSocket implements ViewerSocket {
  readonly #socket: Socket;
  readonly #owner: ViewerSocketOwner;
  readonly #protocol: string | undefined;
  /** Undefined: the handshake is over. */
  #accept: string | undefined;
  #timeout: NodeJS.Timeout | undefined;
  /** The beginning of a frame, or of the response, whose end has not come. */
  #rest: Buffer | undefined;
  /** The fragments so far of a message in several frames. */
  #fragments: { isBinary: boolean; parts: Buffer[] } | undefined;
  #reason = '';
  #closeCode = abnormal;

  constructor(url: URL, { protocol, headers, localAddress }: LeanWebSocketOptions, owner: ViewerSocketOwner) {
    const key = randomBytes(16).toString('base64');
    this.#owner = owner;
    this.#protocol = protocol;
    this.#accept = createHash('sha1')
      .update(key + acceptGuid)
      .digest('base64');
    const request = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13',
      ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '\r\n',
    ].join('\r\n');
    this.#socket = connect({
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(url.port || 80),
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.#read(readBuffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#timeout = setTimeout(() => this.#fail('no response to the handshake'), handshakeTimeoutMs);
    this.#socket.write(request);
    this.#socket.on('error', (error: Error & { code?: string }) => {
      this.#reason ||= error.code ?? 'connection failed';
    });
    this.#socket.on('close', () => {
      clearTimeout(this.#timeout);
      this.#owner.onClose(this.#reason || `closed with ${this.#closeCode}`);
    });
  }

  send(text: string): void {
    this.#socket.write(frameOf(opcodes.text, Buffer.from(text)));
  }

  close(): void {
    this.#socket.end(frameOf(opcodes.close, Buffer.from([1000 >> 8, 1000 & 0xff])));
  }

  terminate(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Takes `data`, which is only lent. */
  #read(data: Buffer): void {
    let bytes = data;
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, data]);
      this.#rest = undefined;
    }
    let at = 0;
    if (this.#accept !== undefined) {
      at = this.#readResponse(bytes, this.#accept);
      if (at === 0 && !this.#socket.destroyed) this.#rest = Buffer.from(bytes);
      if (at === 0) return;
    }
    while (bytes.length - at >= 2 && !this.#socket.destroyed) {
      let length = bytes[at + 1]!;
      if (length > 127) return this.#fail('a masked frame');
      let start = at + 2;
      if (length === 126) {
        start += 2;
        if (bytes.length < start) break;
        length = bytes.readUInt16BE(at + 2);
      } else if (length === 127) {
        start += 8;
        if (bytes.length < start) break;
        length = Number(bytes.readBigUInt64BE(at + 2));
      }
      if (bytes.length < start + length) break;
      this.#receive(bytes[at]!, bytes.subarray(start, start + length));
      at = start + length;
    }
    if (at < bytes.length && !this.#socket.destroyed) this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** Returns where the frames begin, or 0: it is not whole, or it is no agreement. */
  #readResponse(bytes: Buffer, accept: string): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      if (bytes.length > longestResponse) this.#fail('a handshake without an end');
      return 0;
    }
    const [status, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const code = /^HTTP\/1\.1 (\d{3})/.exec(status!)?.[1];
    const fields = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const isAgreed =
      fields.get('sec-websocket-accept') === accept &&
      fields.get('sec-websocket-protocol') === this.#protocol;
    if (code !== '101' || !isAgreed) {
      this.#fail(code === '101' ? 'another handshake' : `Unexpected server response: ${code ?? 'none'}`);
      return 0;
    }
    this.#accept = undefined;
    clearTimeout(this.#timeout);
    this.#timeout = undefined;
    this.#owner.onOpen();
    return end + 4;
  }

  #receive(head: number, payload: Buffer): void {
    const opcode = head & 0x0f;
    const isLast = (head & 0x80) !== 0;
    if ((head & 0x70) !== 0) return this.#fail('a frame of an extension');
    switch (opcode) {
      case opcodes.text:
      case opcodes.binary:
      case opcodes.continuation: {
        if ((opcode === opcodes.continuation) !== (this.#fragments !== undefined))
          return this.#fail('frames out of order');
        if (isLast && this.#fragments === undefined)
          return this.#owner.onMessage(payload, opcode === opcodes.binary);
        (this.#fragments ??= { isBinary: opcode === opcodes.binary, parts: [] }).parts.push(
          Buffer.from(payload),
        );
        if (!isLast) return;
        const { isBinary, parts } = this.#fragments;
        this.#fragments = undefined;
        return this.#owner.onMessage(Buffer.concat(parts), isBinary);
      }
      case opcodes.ping:
        this.#socket.write(frameOf(opcodes.pong, payload));
        return;
      case opcodes.pong:
        return;
      case opcodes.close:
        this.#closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : noStatus;
        this.#socket.end(frameOf(opcodes.close, payload.subarray(0, 2)));
        return;
      default:
        this.#fail(`a frame of type ${opcode}`);
    }
  }

  #fail(reason: string): void {
    this.#reason ||= reason;
    this.#socket.destroy();
  }
}

function frameOf(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headLength + 4 + length);
  frame[0] = 0x80 | opcode;
  if (headLength === 2) frame[1] = 0x80 | length;
  else if (headLength === 4) {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 0x80 | 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  mask.copy(frame, headLength);
  for (let i = 0; i < length; i++) frame[headLength + 4 + i] = payload[i]! ^ mask[i & 3]!;
  return frame;
}
