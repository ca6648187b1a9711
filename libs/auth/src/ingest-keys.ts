import { SettingsError } from '@logloom/settings/settings-error';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { parse } from 'yaml';
import { z } from 'zod';
import { glob } from './glob.ts';
import { KeysUnavailable } from './keys-unavailable.ts';

/** How often the file is looked at. */
const lookMs = 1_000;
const rate = z.number().positive().max(1e12);

const keySchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,64}$/, 'is not 1 to 64 letters, digits, _, . and -'),
  sha256: z.string().regex(/^[0-9a-fA-F]{64}$/, 'is not the SHA-256 of a key in hexadecimal'),
  service: z.string().min(1).optional(),
  loadtest: z.boolean().default(false),
  quota: z
    .strictObject({
      eventsPerSecond: rate.optional(),
      bytesPerSecond: rate.optional(),
      burstSeconds: z.number().min(1).max(3600).default(2),
    })
    .optional(),
});
const fileSchema = z.strictObject({ keys: z.array(keySchema) });

/** A sender's limits; a rate that is absent is not limited. */
export interface Quota {
  eventsPerSecond?: number | undefined;
  /** Of unpacked bodies. */
  bytesPerSecond?: number | undefined;
  /** A burst may be this many seconds' worth. */
  burstSeconds: number;
}

/** A sender's key, as far as the receivers know it. */
export interface IngestKey {
  name: string;
  quota: Quota | undefined;
  /** Whether the key may send events of a service. */
  allows: (service: string) => boolean;
  /** Whether it may mark events as those of a load test, which hides them from users; default: no. */
  mayLoadtest?: boolean | undefined;
}

interface HashedKey extends IngestKey {
  hash: Buffer;
}

/**
 * The keys of senders, from a YAML or JSON file that holds their SHA-256 only. It is read again within a second of a change. Throws
 * SettingsError when it cannot be read at the start.
 */
export class IngestKeys {
  readonly #file: string;
  #keys: readonly HashedKey[];
  #change: number;
  #lookedAt = performance.now();

  constructor(file: string) {
    this.#file = file;
    try {
      this.#change = statSync(file).mtimeMs;
      this.#keys = readKeys(file);
    } catch (error) {
      throw new SettingsError([`INGEST_KEYS=${file}: ${(error as Error).message}`]);
    }
  }

  /** The key that came with a request, if it is in the file. Throws KeysUnavailable while the file cannot be read. */
  find(headers: IncomingHttpHeaders): IngestKey | undefined {
    this.#look();
    const secret = secretOf(headers);
    if (secret === undefined) return undefined;
    const hash = createHash('sha256').update(secret).digest();
    let found: HashedKey | undefined;
    // Compares with every key, so that the time does not reveal which one matches.
    for (const key of this.#keys) if (timingSafeEqual(key.hash, hash)) found = key;
    return found;
  }

  /** The key of that name, as it is now. Throws KeysUnavailable while the file cannot be read. */
  named(name: string): IngestKey | undefined {
    this.#look();
    return this.#keys.find((key) => key.name === name);
  }

  #look(): void {
    if (performance.now() - this.#lookedAt < lookMs && !Number.isNaN(this.#change)) return;
    this.#lookedAt = performance.now();
    try {
      const change = statSync(this.#file).mtimeMs;
      if (change === this.#change) return;
      this.#keys = readKeys(this.#file);
      this.#change = change;
    } catch (cause) {
      // A key that may have been removed is not accepted.
      this.#change = Number.NaN;
      throw new KeysUnavailable(`${this.#file} cannot be read`, { cause });
    }
  }
}

/** Throws an Error that says what is wrong. */
function readKeys(file: string): HashedKey[] {
  const result = fileSchema.safeParse(parse(readFileSync(file, 'utf8')));
  if (!result.success)
    throw new Error(
      result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    );
  const { keys } = result.data;
  const twice = keys.find(({ name }, i) => keys.findIndex((key) => key.name === name) !== i);
  if (twice !== undefined) throw new Error(`two keys are named ${twice.name}`);
  return keys.map(({ name, sha256, service, loadtest, quota }) => ({
    name,
    quota,
    mayLoadtest: loadtest,
    hash: Buffer.from(sha256, 'hex'),
    allows: service === undefined ? () => true : glob(service),
  }));
}

/**
 * The secret of a request: `Authorization: Bearer <key>`, `ApiKey <base64 of id:key>` (Elasticsearch's), the password of `Basic`, or
 * `x-api-key`.
 */
export function secretOf(headers: IncomingHttpHeaders): string | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+) *$/.exec(headers.authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
    // Splunk's clients.
    case 'splunk':
      return value;
    case 'apikey':
    case 'basic': {
      const pair = Buffer.from(value, 'base64').toString('utf8');
      return pair.slice(pair.indexOf(':') + 1);
    }
  }
  // The latter is Datadog's.
  const given = headers['x-api-key'] ?? headers['dd-api-key'];
  return typeof given === 'string' && given !== '' ? given : undefined;
}
