import { choiceSetting, customSetting, declareSettings, textSetting, type Values } from '@logloom/settings';
import { fileSetting, givenTls, tlsProblems, tlsSettings, tlsValues } from '@logloom/settings/connection';
import { redisModes, type RedisAccess } from './redis/options.ts';
import { parseRedisUrl } from './redis/redis-url.ts';

const declared = {
  REDIS_URL: customSetting({
    bounds: 'URL with redis: or rediss:, hosts comma-separated',
    secrecy: 'may-hold-one',
    read: (text) => {
      parseRedisUrl(text);
      return text;
    },
    description: 'Redis for jobs; unset: the embedded queue (docs/engines.md)',
  }),
  REDIS_MODE: choiceSetting(redisModes, 'single', 'what the hosts of REDIS_URL are'),
  REDIS_USERNAME: fileSetting('REDIS_USERNAME', {
    description: 'user of Redis, instead of the one in REDIS_URL',
  }),
  REDIS_PASSWORD: fileSetting('REDIS_PASSWORD', {
    description: 'password for Redis, instead of the one in REDIS_URL',
  }),
  REDIS_SENTINEL_NAME: textSetting({
    default: 'mymaster',
    description: 'name by which the sentinels know the Redis',
  }),
  REDIS_SENTINEL_USERNAME: fileSetting('REDIS_SENTINEL_USERNAME', { description: 'user of the sentinels' }),
  REDIS_SENTINEL_PASSWORD: fileSetting('REDIS_SENTINEL_PASSWORD', {
    description: 'password for the sentinels',
  }),
  ...tlsSettings('REDIS_TLS', 'Redis'),
};

export const jobQueueSettings = declareSettings({ owner: 'libs/job-queue' }, declared, redisProblems);

type RedisValues = Values<typeof declared>;

/** Redis as the settings have it, for openJobQueue(). */
export function redisOf(values: RedisValues): { redisUrl: string | undefined; redis: RedisAccess } {
  return {
    redisUrl: values.REDIS_URL,
    redis: {
      mode: values.REDIS_MODE,
      sentinelName: values.REDIS_SENTINEL_NAME,
      sentinelUsername: values.REDIS_SENTINEL_USERNAME,
      sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
      username: values.REDIS_USERNAME,
      password: values.REDIS_PASSWORD,
      tls: tlsValues('REDIS_TLS', values),
    },
  };
}

function redisProblems(values: RedisValues): string[] {
  const tls = tlsValues('REDIS_TLS', values);
  const problems = tlsProblems('REDIS_TLS', tls);
  if (values.REDIS_URL === undefined) return problems;
  const { isTls, hosts, database } = parseRedisUrl(values.REDIS_URL);
  const given = givenTls(tls);
  if (given !== undefined && !isTls) problems.push(`${given} is for TLS: write rediss: in REDIS_URL`);
  if (hosts.length > 1 && values.REDIS_MODE === 'single')
    problems.push('REDIS_URL has several hosts: set REDIS_MODE to sentinel or cluster');
  if (database !== 0 && values.REDIS_MODE === 'cluster')
    problems.push('REDIS_URL names a database, and a cluster has none but 0');
  return problems;
}
