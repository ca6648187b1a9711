import { AccessFaults, LiveTls, LiveValues } from '@logloom/settings/connection';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAccess } from './options.ts';
import { isPermission, redisFault, sentinelFault } from './redis-fault.ts';
import { parseRedisUrl } from './redis-url.ts';

export type RedisClient = Redis | Cluster;
type SendCommand = (command: { name: string; promise: Promise<unknown> }, ...more: unknown[]) => unknown;

const sentinelPort = 26_379;
const defaultSentinelName = 'mymaster';

interface Login {
  username: string | undefined;
  password: string | undefined;
  sentinelUsername?: string | undefined;
  sentinelPassword?: string | undefined;
}

/**
 * Clients of one Redis, by what the files of the settings hold now: whatever connects anew, also by itself, uses the newest. Commands
 * wait while Redis is away, for BullMQ wants `maxRetriesPerRequest: null`.
 */
export class RedisClients implements Disposable {
  /** What Redis refuses of these clients. */
  readonly faults = new AccessFaults();
  readonly #url: string;
  readonly #access: RedisAccess;
  readonly #login: LiveValues<keyof Login, Login>;
  readonly #tls: { readonly secureContext: unknown } | undefined;
  readonly #stopTls: () => void = () => {};
  readonly #clients = new Set<RedisClient>();

  /** `onTrouble` gets why a changed file cannot be used. Throws SettingsError when one cannot be used at the start. */
  constructor(url: string, access: RedisAccess = {}, onTrouble?: (message: string) => void) {
    this.#url = url;
    this.#access = access;
    const { isTls, username, password } = parseRedisUrl(url);
    this.#login = new LiveValues({
      values: {
        username: access.username,
        password: access.password,
        sentinelUsername: access.sentinelUsername,
        sentinelPassword: access.sentinelPassword,
      },
      make: (texts) => ({
        ...texts,
        username: texts.username ?? username,
        password: texts.password ?? password,
      }),
      onTrouble,
      onChange: () => this.#clients.forEach((client) => this.#renew(client)),
    });
    if (!isTls) return;
    const live = new LiveTls('REDIS_TLS', access.tls ?? {}, { onTrouble });
    this.#stopTls = () => live[Symbol.dispose]();
    // ioredis copies its members into the options of each connection.
    this.#tls = {
      get secureContext() {
        return live.current.secureContext;
      },
    };
  }

  /** Another client; the caller closes it. */
  connect(
    more: Pick<RedisOptions, 'retryStrategy' | 'connectTimeout' | 'enableOfflineQueue'> = {},
  ): RedisClient {
    return this.keepCurrent(this.#connect(more));
  }

  /** A client of each sentinel, for looking whether it takes this user; none without sentinels. The caller closes them. */
  connectSentinels(
    more: Pick<RedisOptions, 'retryStrategy' | 'connectTimeout'>,
  ): { client: Redis; ask: () => Promise<unknown> }[] {
    const { mode, sentinelName = defaultSentinelName } = this.#access;
    if (mode !== 'sentinel') return [];
    const { sentinelUsername: username, sentinelPassword: password } = this.#login.current;
    return parseRedisUrl(this.#url, sentinelPort).hosts.map((host) => {
      const client = new Redis({
        ...host,
        ...more,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...this.#tlsOptions(),
        enableReadyCheck: false,
      });
      return { client, ask: () => client.call('SENTINEL', 'get-master-addr-by-name', sentinelName) };
    });
  }

  /** Has a client that was made from another one use what changes from now on too. */
  keepCurrent<T extends RedisClient>(client: T): T {
    this.#clients.add(client);
    client.once('end', () => this.#clients.delete(client));
    this.#noteFaults(client);
    return client;
  }

  #noteFaults(client: RedisClient): void {
    const note = (error: unknown, operation?: string): void => {
      const fault = redisFault(error);
      if (fault !== undefined) this.faults.refused(fault, isPermission(error) ? operation : undefined);
    };
    client.on('error', (error: Error) => note(error));
    // What a sentinel says is no error of the client, which asks the next one.
    client.on('sentinelError', (error: Error) => {
      const fault = sentinelFault(error);
      if (fault !== undefined) this.faults.refused(fault);
    });
    client.on('ready', () => this.faults.taken());
    const hooked = client as unknown as { sendCommand: SendCommand };
    const send = hooked.sendCommand.bind(client);
    // The only place that sees what BullMQ asks in its own loops, and what Redis says to it.
    hooked.sendCommand = (command, ...more) => {
      command.promise.then(
        () => this.faults.taken(command.name),
        (error: unknown) => note(error, command.name),
      );
      return send(command, ...more);
    };
  }

  [Symbol.dispose](): void {
    this.#login[Symbol.dispose]();
    this.#stopTls();
  }

  #connect(more: Pick<RedisOptions, 'retryStrategy' | 'connectTimeout' | 'enableOfflineQueue'>): RedisClient {
    const { mode = 'single', sentinelName = defaultSentinelName } = this.#access;
    const options = { maxRetriesPerRequest: null, ...this.#loginOptions(), ...this.#tlsOptions(), ...more };
    if (mode === 'single') return new Redis(this.#url, options);
    const { hosts, database } = parseRedisUrl(this.#url, mode === 'sentinel' ? sentinelPort : undefined);
    if (mode === 'sentinel') {
      const { sentinelUsername, sentinelPassword } = this.#login.current;
      return new Redis({
        ...options,
        db: database,
        sentinels: hosts,
        name: sentinelName,
        // A frozen primary keeps its connections, also when another server has taken over.
        failoverDetector: true,
        ...(sentinelUsername !== undefined && { sentinelUsername }),
        ...(sentinelPassword !== undefined && { sentinelPassword }),
        ...(this.#tls !== undefined && { sentinelTLS: this.#tls as object, enableTLSForSentinelMode: true }),
      });
    }
    const { retryStrategy } = more;
    return new Cluster(hosts, {
      redisOptions: options,
      // The names that the nodes announce stand in their certificates, not the addresses behind them.
      dnsLookup: (address, callback) => callback(null, address),
      ...(retryStrategy === undefined ? {} : { clusterRetryStrategy: () => null }),
    });
  }

  #loginOptions(): Pick<RedisOptions, 'username' | 'password'> {
    const { username, password } = this.#login.current;
    return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  }

  #tlsOptions(): Pick<RedisOptions, 'tls'> {
    return this.#tls === undefined ? {} : { tls: this.#tls as object };
  }

  /** A client looks at its options whenever it connects. */
  #renew(client: RedisClient): void {
    if (client instanceof Redis) {
      const { sentinelUsername, sentinelPassword } = this.#login.current;
      Object.assign(client.options, this.#loginOptions(), { sentinelUsername, sentinelPassword });
      return;
    }
    Object.assign(client.options.redisOptions ?? {}, this.#loginOptions());
    for (const node of client.nodes('all')) Object.assign(node.options, this.#loginOptions());
  }
}
