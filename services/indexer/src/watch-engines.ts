import { ArchiveError } from '@logloom/archive';
import {
  EngineWatch,
  type GuardOptions,
  pingHttp,
  pingMongo,
  pingRedis,
  type HealthCheck,
} from '@logloom/runtime';
import { SearchStoreError } from '@logloom/search-store';
import type { Settings } from './settings.ts';
import { ApiError } from './errors.ts';

export interface EngineWatches {
  search?: EngineWatch;
  archive?: EngineWatch;
  jobs?: EngineWatch;
}

/** Watches the engines that the settings name; embedded stores need no watch. */
export function watchEngines(
  settings: Pick<Settings, 'ELASTICSEARCH_URL' | 'MONGODB_URL' | 'REDIS_URL' | 'REDIS_MODE'>,
): EngineWatches {
  const watches: EngineWatches = {};
  const { ELASTICSEARCH_URL: elasticsearch, MONGODB_URL: mongodb, REDIS_URL: redis } = settings;
  if (elasticsearch !== undefined)
    watches.search = new EngineWatch({
      name: 'Elasticsearch',
      ping: pingHttp(elasticsearch),
      unavailable: (message) => new SearchStoreError('store-unavailable', `${message} (ELASTICSEARCH_URL)`),
    });
  const mongoPing = mongodb === undefined ? undefined : pingMongo(mongodb);
  if (mongoPing !== undefined)
    watches.archive = new EngineWatch({
      name: 'MongoDB',
      ping: mongoPing,
      unavailable: (message) => new ArchiveError(`${message} (MONGODB_URL)`),
    });
  if (redis !== undefined)
    watches.jobs = new EngineWatch({
      name: 'Redis',
      ping: pingRedis(redis, settings.REDIS_MODE === 'sentinel' ? 26_379 : undefined),
      unavailable: (message) => new ApiError('jobs-unavailable', `${message} (REDIS_URL)`),
    });
  return watches;
}

/** The store under its engine's watch, if it has one. */
export function guarded<T extends { close: () => Promise<void> }>(
  watch: EngineWatch | undefined,
  store: T,
  options: GuardOptions<T> = {},
): T {
  return watch === undefined ? store : watch.guard(store, options);
}

/** The engines that do not answer, for readiness. */
export function problemsOf({ search, archive, jobs }: EngineWatches): HealthCheck[] {
  return [search, archive, jobs].flatMap((watch) =>
    watch === undefined ? [] : [() => (watch.isFrozen ? `${watch.name} does not answer` : undefined)],
  );
}
