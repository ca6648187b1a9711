import { InvalidValue } from '@logloom/settings';

/** Where a Redis is and who logs in: `rediss://user:password@a:6379,b:6379/0`. */
export interface RedisAddress {
  isTls: boolean;
  hosts: { host: string; port: number }[];
  username: string | undefined;
  password: string | undefined;
  database: number;
}

const form = /^(rediss?):\/\/(?:([^/@]*)@)?([^/?#@]+)(?:\/(\d*))?(?:[?#].*)?$/;

/** Reads REDIS_URL, which may name several hosts. Throws InvalidValue. */
export function parseRedisUrl(text: string, defaultPort = 6379): RedisAddress {
  const [, protocol, login = '', hosts, database] = form.exec(text) ?? [];
  if (hosts === undefined) throw new InvalidValue('is not a URL with redis: or rediss:');
  const [user = '', ...password] = login.split(':');
  return {
    isTls: protocol === 'rediss',
    hosts: hosts.split(',').map((host) => parseHost(host, defaultPort)),
    username: user === '' ? undefined : decodeURIComponent(user),
    password: password.length === 0 ? undefined : decodeURIComponent(password.join(':')),
    database: Number(database || 0),
  };
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const url = `http://${text}`;
  if (!URL.canParse(url)) throw new InvalidValue(`has a host that cannot be read`);
  const { hostname, port } = new URL(url);
  // Port 80 is the default one of http and so not in the URL's.
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(/:(\d+)$/.exec(text)?.[1] ?? (port || defaultPort)),
  };
}
