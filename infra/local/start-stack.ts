import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startElasticsearch } from './elasticsearch.ts';
import {
  engineNames,
  type Engine,
  type EngineContext,
  type EngineName,
  type MongodbMode,
  type RedisMode,
} from './engine.ts';
import { defaultCacheDir } from './environment.ts';
import { startKafka } from './kafka.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { startMongodb } from './mongodb.ts';
import { PortPool } from './port-pool.ts';
import { startRedis } from './redis.ts';
import { startSchemaRegistry } from './schema-registry.ts';
import { Stack } from './running-stack.ts';
import { createStackSecurity } from './stack-security.ts';
import { startZipkin } from './zipkin.ts';

export { signToken } from './access-tokens.ts';
export { createStackSecurity } from './stack-security.ts';
export { changeKafkaPermissions, setKafkaPassword, type KafkaPermission } from './kafka-users.ts';
export { sentinelRules } from './redis.ts';
export { SecuredProxy } from './secured-proxy.ts';
export type { Stack } from './running-stack.ts';

export interface StackOptions {
  /** Default all. */
  only?: readonly EngineName[] | undefined;
  without?: readonly EngineName[] | undefined;
  /** Kafka brokers, default 1. */
  brokers?: number | undefined;
  /** Default any free port. Kafka's is its first broker's; the others take the next ones. */
  ports?: Partial<Record<EngineName, number>> | undefined;
  /** What the MongoDB stand-in looks like to a driver. Default mongos, the router of a sharded cluster. */
  mongodbMode?: MongodbMode | undefined;
  /** Default single; a cluster has three nodes, and with sentinels there are a primary, a replica and three of them. */
  redisMode?: RedisMode | undefined;
  /** For benchmarks: the JVM's full compiler and more memory. The start takes longer. */
  throughput?: boolean | undefined;
  /** TLS and logins for every engine that can; its settings name the files. Needs openssl. */
  secured?: boolean | undefined;
  /** Holds data and logs, and is kept; what it holds from an earlier run is taken up. Default a temporary folder, removed by stop(). */
  dir?: string | undefined;
  /** Holds the downloads. Default `logloom` in the user's cache folder. */
  cacheDir?: string | undefined;
  /** Gives up a start that is under way. A started stack is stopped by stop(). */
  signal?: AbortSignal | undefined;
  /** Gets a line when an engine is ready or missing. */
  report?: ((line: string) => void) | undefined;
}

const starters: Record<EngineName, (context: EngineContext) => Promise<Engine>> = {
  kafka: startKafka,
  'schema-registry': startSchemaRegistry,
  elasticsearch: startElasticsearch,
  mongodb: startMongodb,
  redis: startRedis,
  zipkin: startZipkin,
};

/**
 * Starts the engines side by side and resolves when all are ready. An engine whose prerequisites are missing is left out: the
 * stack's `missing` has the reason. When one fails to start, the rest is stopped and its error thrown.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dir =
    options.dir === undefined ? await mkdtemp(join(tmpdir(), 'logloom-stack-')) : resolve(options.dir);
  await mkdir(dir, { recursive: true });
  const ports = new PortPool();
  const engines = new Map<EngineName, Engine>();
  const missing: Partial<Record<EngineName, string>> = {};
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(options.signal ? [options.signal] : [])]);
  // Rejects where openssl is missing: then every engine is.
  const security =
    options.secured === true
      ? createStackSecurity(join(dir, 'security'), signal)
      : Promise.resolve(undefined);
  const made = await security.catch(() => undefined);
  const cleanUp = async (): Promise<void> => {
    await ports.release();
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  const stack = new Stack(engines, missing, cleanUp, made);
  const start = async (name: EngineName): Promise<void> => {
    const begin = performance.now();
    try {
      engines.set(
        name,
        await starters[name]({ ...contextOf(name, dir, ports, signal, options), security: await security }),
      );
      options.report?.(`${name} is ready (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
    } catch (error) {
      if (!(error instanceof MissingPrerequisite)) {
        failure.abort(error);
        throw error;
      }
      missing[name] = error.message;
      options.report?.(error.message);
    }
  };
  await Promise.allSettled(wanted(options).map(start));
  if (!signal.aborted) return stack;
  await stack.stop();
  throw signal.reason;
}

function wanted({ only, without }: StackOptions): EngineName[] {
  return (only ?? engineNames).filter((name) => without?.includes(name) !== true);
}

function contextOf(
  name: EngineName,
  dir: string,
  ports: PortPool,
  signal: AbortSignal,
  options: StackOptions,
): Omit<EngineContext, 'security'> {
  return {
    dir: join(dir, name),
    cacheDir: options.cacheDir ?? defaultCacheDir,
    ports,
    port: options.ports?.[name],
    brokers: options.brokers ?? 1,
    mongodbMode: options.mongodbMode ?? 'mongos',
    redisMode: options.redisMode ?? 'single',
    throughput: options.throughput ?? false,
    signal,
  };
}
