import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import { readFile, stat } from 'node:fs/promises';
import { KeysUnavailable } from './keys-unavailable.ts';

/** How often a file is looked at. */
const lookMs = 1_000;
/** An unknown key triggers a new fetch, but no more often than this. */
const cooldownMs = 5_000;
/** Keys that were removed from the set stop working after this time. */
const maxAgeMs = 300_000;

/**
 * Finds a token's key in a JWKS (RFC 7517) at a URL or in a file. The set is read again when it has changed or a key is missing, so that
 * keys can be rotated: add the new one, sign with it, remove the old one.
 */
export async function openKeySet(source: string): Promise<JWTVerifyGetKey> {
  if (/^https?:/.test(source)) {
    const keys = createRemoteJWKSet(new URL(source), {
      cooldownDuration: cooldownMs,
      cacheMaxAge: maxAgeMs,
      timeoutDuration: 5_000,
    });
    return sparing(keys);
  }
  let set = await readSet(source);
  let changedAt = await lastChange(source);
  let lookedAt = performance.now();
  return async (header, token) => {
    if (performance.now() - lookedAt >= lookMs) {
      lookedAt = performance.now();
      try {
        const change = await lastChange(source);
        if (change !== changedAt) {
          set = await readSet(source);
          changedAt = change;
        }
      } catch (cause) {
        // The file is being written or is gone: keys that may have been removed are not accepted.
        changedAt = Number.NaN;
        throw new KeysUnavailable(`${source} cannot be read`, { cause });
      }
    }
    return set(header, token);
  };
}

/**
 * The keys of a server that may fail. After a failed fetch the next one waits: tokens come from unauthenticated clients, and each could
 * trigger a fetch. Meanwhile the known keys are used until they expire.
 */
function sparing(keys: ReturnType<typeof createRemoteJWKSet>): JWTVerifyGetKey {
  let failure: unknown;
  let retryAt = 0;
  return async (header, token) => {
    if (performance.now() < retryAt) {
      const known = keys.fresh ? keys.jwks() : undefined;
      const found = known && (await createLocalJWKSet(known)(header, token).catch(() => undefined));
      if (found !== undefined) return found;
      throw new KeysUnavailable('the keys could not be fetched a moment ago', { cause: failure });
    }
    try {
      return await keys(header, token);
    } catch (error) {
      // The server is not at fault.
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
        throw error;
      failure = error;
      retryAt = performance.now() + cooldownMs;
      throw error;
    }
  };
}

async function readSet(file: string): Promise<JWTVerifyGetKey> {
  return createLocalJWKSet(JSON.parse(await readFile(file, 'utf8')) as JSONWebKeySet);
}

async function lastChange(file: string): Promise<number> {
  return (await stat(file)).mtimeMs;
}
