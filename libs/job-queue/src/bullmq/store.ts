import { FlowProducer, Queue, type Job as BullJob } from 'bullmq';
import type { RedisAccess } from '../redis/options.ts';
import { RedisClients, type RedisClient } from '../redis/redis-client.ts';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode, toBullId } from './ids.ts';
import { tellTrouble, type OnRedisTrouble } from './redis-errors.ts';
import { unlessSilent } from './unless-silent.ts';

/** Longer than adding ever takes; a process that dies meanwhile blocks the others for this time, ms. */
const lockMs = 10_000;
const lockRetryMs = 10;

/** Releases the lock, unless it expired and another process has it by now. */
const unlock = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end`;

/**
 * The queues of one store: one of BullMQ for each name of jobs. All keys have the prefix; its braces keep them on one node of a
 * cluster.
 */
export class BullStore {
  readonly redis: RedisClient;
  readonly clients: RedisClients;
  readonly prefix: string;
  readonly #flows: FlowProducer;
  readonly #queues = new Map<string, Queue>();
  /** The connections on which workers wait for jobs; BullMQ makes them of `redis`. */
  readonly #blocking = new Set<RedisClient>();

  constructor(url: string, prefix: string, access?: RedisAccess, onTrouble?: OnRedisTrouble) {
    this.prefix = prefix;
    // Workers wait for an unreachable Redis rather than give up.
    this.clients = new RedisClients(url, access, onTrouble);
    this.redis = this.clients.connect();
    this.redis.on('error', tellTrouble(onTrouble));
    const duplicate = this.redis.duplicate.bind(this.redis) as (...args: unknown[]) => RedisClient;
    this.redis.duplicate = ((...args: unknown[]) => {
      const connection = this.clients.keepCurrent(duplicate(...args));
      this.#blocking.add(connection);
      connection.once('end', () => this.#blocking.delete(connection));
      return connection;
    }) as never;
    this.#flows = new FlowProducer({ connection: this.redis, prefix });
    this.#flows.on('error', () => {});
  }

  /** The queue of a name; the name is stored, so that other processes find its jobs. */
  async queue(name: string): Promise<Queue> {
    // Stored each time, because the store may have been emptied.
    await this.redis.sadd(this.#namesKey, name);
    return this.#open(name);
  }

  /** The queues of all names that were ever used. */
  async queues(): Promise<Queue[]> {
    const names = await this.redis.smembers(this.#namesKey);
    return names.sort().map((name) => this.#open(name));
  }

  /** The job, in whichever queue it is. */
  async find(id: string): Promise<BullJob | undefined> {
    const bullId = toBullId(id);
    const found = await Promise.all((await this.queues()).map((queue) => queue.getJob(bullId)));
    return found.find((job) => job !== undefined);
  }

  /** Adds all in one transaction. */
  async add(jobs: Parameters<FlowProducer['addBulk']>[0]): Promise<void> {
    await this.#flows.addBulk(jobs);
  }

  /** Runs the work while no other process runs any under this lock. */
  async locked<T>(work: () => Promise<T>): Promise<T> {
    const key = `${this.prefix}:lock`;
    const token = randomUUID();
    while ((await this.redis.set(key, token, 'PX', lockMs, 'NX')) === null) await sleep(lockRetryMs);
    try {
      return await work();
    } finally {
      await this.redis.eval(unlock, 1, key, token);
    }
  }

  async close(): Promise<void> {
    const closeAll = async (): Promise<void> => {
      await this.#flows.close();
      await Promise.all(Array.from(this.#queues.values(), (queue) => queue.close()));
    };
    await unlessSilent(closeAll(), this.redis, AbortSignal.abort());
    for (const connection of [this.redis, ...this.#blocking]) connection.disconnect();
    this.clients[Symbol.dispose]();
  }

  /** Why Redis does not take this client, or refuses what it asks; undefined when it does neither, or is away. */
  get fault(): string | undefined {
    return this.clients.faults.current;
  }

  get #namesKey(): string {
    return `${this.prefix}:names`;
  }

  #open(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(encode(name), { connection: this.redis, prefix: this.prefix });
      queue.on('error', () => {});
      this.#queues.set(name, queue);
    }
    return queue;
  }
}
