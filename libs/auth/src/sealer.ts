import { SettingsError } from '@logloom/settings/settings-error';
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
/** Padding: the length of a sealed text must not reveal how large the numbers in it are. */
const padTo = 64;

/**
 * Seals texts, such as cursors, so that only this deployment can read or create them: encrypted and authenticated (AES-256-GCM), and valid
 * only in the context that they were sealed for.
 */
export class Sealer {
  readonly #key: Buffer;

  /** `secret` is long and random; sealers with equal secrets open each other's texts. */
  constructor(secret: string | Buffer) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, '', 'logloom sealed text', 32));
  }

  /** Opens its own texts only. */
  static random(): Sealer {
    return new Sealer(randomBytes(32));
  }

  /** The text, sealed for this context, in characters that a URL may contain. */
  seal(text: string, context: readonly string[]): string {
    const bytes = Buffer.byteLength(text);
    const padded = Buffer.alloc(Math.ceil((bytes + 1) / padTo) * padTo);
    padded.write(text);
    padded[bytes] = 1;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.#key, nonce, { authTagLength: tagBytes });
    cipher.setAAD(contextBytes(context));
    return Buffer.concat([nonce, cipher.update(padded), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  /** The text that was sealed for this context; undefined for anything else. */
  open(sealed: string, context: readonly string[]): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length <= nonceBytes + tagBytes) return undefined;
    const nonce = bytes.subarray(0, nonceBytes);
    const decipher = createDecipheriv(algorithm, this.#key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(contextBytes(context));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    try {
      const padded = Buffer.concat([
        decipher.update(bytes.subarray(nonceBytes, -tagBytes)),
        decipher.final(),
      ]);
      return padded.toString('utf8', 0, padded.lastIndexOf(1));
    } catch {
      return undefined;
    }
  }
}

function contextBytes(context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(context));
}

const keyFile = 'cursor.key';
const keyBytes = 32;

/**
 * The deployment's Sealer. It uses the `secret` that all processes share, else a key in the data folder, which is created if it is missing
 * and readable only by this user. If it cannot be created, sealed texts are valid in this process only, and `warn` is called. Throws
 * SettingsError when the file holds no key.
 */
export function openSealer({
  secret,
  folder,
  warn,
}: {
  secret: string | undefined;
  folder: string;
  warn?: ((message: string) => void) | undefined;
}): Sealer {
  if (secret !== undefined) return new Sealer(secret);
  const file = join(folder, keyFile);
  let key: Buffer | undefined;
  try {
    key = readKey(file) ?? makeKey(folder, file);
  } catch (error) {
    warn?.(
      `${file} can be neither read nor created (${(error as Error).message}): cursors of this process are invalid in other processes and after a restart; set CURSOR_KEY`,
    );
    return Sealer.random();
  }
  if (key.length === keyBytes) return new Sealer(key);
  throw new SettingsError([
    `${file} holds no key of ${keyBytes} bytes in base64url; remove it to get a new one`,
  ]);
}

function readKey(file: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return Buffer.from(text.trim(), 'base64url');
}

function makeKey(folder: string, file: string): Buffer {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  writeFileSync(fresh, `${randomBytes(keyBytes).toString('base64url')}\n`, {
    mode: 0o600,
    flag: 'wx',
    flush: true,
  });
  try {
    chmodSync(fresh, 0o600);
    // Unlike a rename it fails where another process was first.
    linkSync(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh);
  }
  return readKey(file)!;
}
