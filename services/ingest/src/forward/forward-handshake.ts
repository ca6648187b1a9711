import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { hostname } from 'node:os';
import { ValueReader } from './message-pack.ts';
import { packValue } from './pack-value.ts';

/** The handshake of the Forward protocol, by which a sender and the server show each other that they know the shared key. */
export class ForwardHandshake {
  readonly #sharedKey: string;
  readonly #nonce = randomBytes(16);

  constructor(sharedKey: string) {
    this.#sharedKey = sharedKey;
  }

  /** What the server sends first. */
  get helo(): Buffer {
    return packValue(['HELO', { nonce: this.#nonce, auth: Buffer.alloc(0), keepalive: true }]);
  }

  /** Returns the answer to the sender's PING, and whether the sender knows the key. */
  answer(ping: Buffer): { isAllowed: boolean; pong: Buffer } {
    const given = readPing(ping);
    const refuse = (reason: string): { isAllowed: boolean; pong: Buffer } => ({
      isAllowed: false,
      pong: packValue(['PONG', false, reason, '', '']),
    });
    if (given === undefined) return refuse('a PING was expected');
    const [client, salt, digest] = given;
    const expected = this.#digest(salt, client);
    const isSame = digest.length === expected.length && timingSafeEqual(digest, Buffer.from(expected));
    if (!isSame) return refuse('shared_key mismatch');
    const server = hostname();
    return {
      isAllowed: true,
      pong: packValue(['PONG', true, '', server, this.#digest(salt, Buffer.from(server))]),
    };
  }

  #digest(salt: Buffer, host: Buffer): string {
    const hash = createHash('sha512').update(salt).update(host).update(this.#nonce).update(this.#sharedKey);
    return hash.digest('hex');
  }
}

/** Returns the sender's name, salt and digest. */
function readPing(bytes: Buffer): [Buffer, Buffer, Buffer] | undefined {
  const reader = new ValueReader(bytes);
  const count = reader.array();
  if (count === undefined || count < 4) return undefined;
  const [word, client, salt, digest] = [reader.bytes(), reader.bytes(), reader.bytes(), reader.bytes()];
  if (word?.toString() !== 'PING' || client === undefined || salt === undefined || digest === undefined)
    return undefined;
  return [client, salt, digest];
}
