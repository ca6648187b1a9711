import { chain, tlsFault } from '@logloom/settings/connection';

/** Also of a command that a script runs: EVALSHA itself is allowed, and what it does is not. */
const permission = /^NOPERM|ACL failure in script|The user executing the script can't/;

/** Whether Redis has let this client in, and refuses a command or a key. */
export function isPermission(error: unknown): boolean {
  return [...chain(error)].some(({ message }) => permission.test(message));
}

/** Why Redis does not take this client, with the setting; undefined where something else is wrong. */
export function redisFault(error: unknown): string | undefined {
  const names = { prefix: 'REDIS_TLS', address: 'REDIS_URL', on: 'REDIS_URL says rediss:' };
  const tls = tlsFault(error, names);
  if (tls !== undefined) return tls;
  for (const { message } of chain(error)) {
    if (/^(?:WRONGPASS|NOAUTH|ERR AUTH|ERR Client sent AUTH|ERR invalid password)/i.test(message))
      return 'it refuses the user or the password: REDIS_USERNAME, REDIS_PASSWORD, or those in REDIS_URL';
    if (permission.test(message))
      return `its user lacks a permission: REDIS_USERNAME (${message.slice(0, 200)})`;
  }
  return undefined;
}
