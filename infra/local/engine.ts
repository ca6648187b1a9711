import type { PortPool } from './port-pool.ts';
import type { StackSecurity } from './stack-security.ts';
import type { ServerProcess } from './server-process.ts';

export const engineNames = [
  'kafka',
  'schema-registry',
  'elasticsearch',
  'mongodb',
  'redis',
  'zipkin',
] as const;

export type EngineName = (typeof engineNames)[number];

/** A started engine: its servers (one, but for a Kafka cluster) and the settings by which Logloom finds it. */
export interface Engine {
  servers: readonly ServerProcess[];
  env: Record<string, string>;
  /** Other addresses of a secured engine, by what they are for. */
  addresses?: Readonly<Record<string, string>>;
}

/** What an engine's start function works with. */
export interface EngineContext {
  /** The engine's own folder: data and logs. */
  dir: string;
  cacheDir: string;
  ports: PortPool;
  /** The port that was asked for, if any. */
  port: number | undefined;
  brokers: number;
  mongodbMode: MongodbMode;
  redisMode: RedisMode;
  /** Full JIT and more memory, for benchmarks; otherwise a quick start in little memory. */
  throughput: boolean;
  /** TLS and logins; undefined: neither. */
  security: StackSecurity | undefined;
  signal: AbortSignal;
}

export type MongodbMode = 'mongos' | 'standalone';
export type RedisMode = 'single' | 'sentinel' | 'cluster';

/** A JVM's memory and compiler options. */
export function jvmOptions(context: EngineContext, heapMb: number, throughputHeapMb = heapMb): string[] {
  if (context.throughput) return [`-Xmx${throughputHeapMb}m`];
  // C1 alone and the serial collector start sooner and take less memory; a warm server is about half as fast.
  return [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
}
