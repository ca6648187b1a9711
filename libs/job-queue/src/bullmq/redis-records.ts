import { checkRedisAccess } from '../redis/check-redis-access.ts';
import type { RedisAccess } from '../redis/options.ts';
import { RedisClients } from '../redis/redis-client.ts';
import type { JobRecords } from '../job-records.ts';
import { nameSetting, tellTrouble, type OnRedisTrouble } from './redis-errors.ts';

/** How many fields Redis scans in one step. */
const scanStep = 500;

/** Only if the field exists: a record that was deleted meanwhile must not come back. */
const replaceScript = `
  if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 1`;

const defaultPrefix = '{logloom-records}';

export interface RedisJobRecordsOptions {
  url: string;
  access?: RedisAccess | undefined;
  onTrouble?: OnRedisTrouble | undefined;
}

/** The records, once Redis is known to take this client, or to be away. Throws EngineAccessError when it refuses it. */
export async function openRedisJobRecords({
  url,
  access,
  onTrouble,
}: RedisJobRecordsOptions): Promise<JobRecords> {
  using clients = new RedisClients(url, access);
  await checkRedisAccess(clients, url, `${defaultPrefix}:any`);
  return createRedisJobRecords(url, undefined, access, onTrouble);
}

/** On Redis: a hash for each kind, under the prefix, whose braces keep them on one node of a cluster. */
export function createRedisJobRecords(
  url: string,
  prefix = defaultPrefix,
  access?: RedisAccess,
  onTrouble?: OnRedisTrouble,
): JobRecords {
  const clients = new RedisClients(url, access, onTrouble);
  const redis = clients.connect();
  redis.on('error', tellTrouble(onTrouble));
  const key = (kind: string): string => `${prefix}:${kind}`;
  return nameSetting<JobRecords>({
    put: async (kind, id, value) => void (await redis.hset(key(kind), id, JSON.stringify(value))),
    putAll: async (kind, entries) => {
      if (entries.length === 0) return;
      await redis.hset(key(kind), new Map(entries.map(({ id, value }) => [id, JSON.stringify(value)])));
    },
    replace: async (kind, id, value) =>
      (await redis.eval(replaceScript, 1, key(kind), id, JSON.stringify(value))) === 1,
    get: async (kind, id) => {
      const text = await redis.hget(key(kind), id);
      return text === null ? undefined : (JSON.parse(text) as unknown);
    },
    page: async (kind, prefix, limit, cursor = '0') => {
      const match = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
      const [next, fields] = await redis.hscan(key(kind), cursor, 'MATCH', match, 'COUNT', limit);
      const entries = [];
      for (let i = 0; i < fields.length; i += 2)
        entries.push({ id: fields[i]!, value: JSON.parse(fields[i + 1]!) as unknown });
      return next === '0' ? { entries } : { entries, next };
    },
    usage: async (kind, prefix) => {
      const match = `${prefix.replaceAll(/[\\*?[\]]/g, '\\$&')}*`;
      const total = { count: 0, bytes: 0 };
      for (let cursor = '0'; ;) {
        const [next, fields] = await redis.hscan(key(kind), cursor, 'MATCH', match, 'COUNT', scanStep);
        total.count += fields.length / 2;
        for (const field of fields) total.bytes += Buffer.byteLength(field);
        if (next === '0') return total;
        cursor = next;
      }
    },
    list: async (kind) =>
      Object.entries(await redis.hgetall(key(kind)))
        .map(([id, text]) => ({ id, value: JSON.parse(text) as unknown }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    delete: async (kind, id) => (await redis.hdel(key(kind), id)) > 0,
    deleteAll: async (kind, ids) => {
      if (ids.length > 0) await redis.hdel(key(kind), ...ids);
    },
    problem: () => (clients.faults.current === undefined ? undefined : `Redis: ${clients.faults.current}`),
    close: async () => {
      redis.disconnect();
      clients[Symbol.dispose]();
    },
  });
}
