import { chain, tlsFault } from '@logloom/settings/connection';

/** Also of a command that a script runs: EVALSHA itself is allowed, and what it does is not. */
const permission = /^NOPERM|ACL failure in script|The user executing the script can't/;

/** Whether Redis has let this client in, and refuses a command or a key. */
export function isPermission(error: unknown): boolean {
  return [...chain(error)].some(({ message }) => permission.test(message));
}

const login = /^(?:WRONGPASS|NOAUTH|ERR AUTH|ERR Client sent AUTH|ERR invalid password)/i;

/** Why Redis does not take this client, with the setting; undefined where something else is wrong. */
export function redisFault(error: unknown): string | undefined {
  const names = { prefix: 'REDIS_TLS', address: 'REDIS_URL', on: 'REDIS_URL says rediss:' };
  const tls = tlsFault(error, names);
  if (tls !== undefined) return tls;
  for (const { message } of chain(error)) {
    if (login.test(message))
      return 'it refuses the user or the password: REDIS_USERNAME, REDIS_PASSWORD, or those in REDIS_URL';
    if (permission.test(message))
      return `its user lacks a permission: REDIS_USERNAME (${message.slice(0, 200)})`;
  }
  return undefined;
}

/** The same of a sentinel. ioredis puts its own words before a sentinel's. */
export function sentinelFault(error: unknown): string | undefined {
  for (const { message } of chain(error)) {
    const words = message.replace(/^failed to connect to sentinel \S+ because /, '');
    if (login.test(words))
      return 'the sentinels refuse the user or the password: REDIS_SENTINEL_USERNAME, REDIS_SENTINEL_PASSWORD';
    if (permission.test(words))
      return `the user of the sentinels lacks a permission: REDIS_SENTINEL_USERNAME (${words.slice(0, 200)})`;
  }
  return redisFault(error);
}
