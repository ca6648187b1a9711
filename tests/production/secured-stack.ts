import { topics } from '@logloom/schemas';
import { temporaryFolder } from '@logloom/testing';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  changeKafkaPermissions,
  setKafkaPassword,
  type KafkaPermission,
} from '../../infra/local/kafka-users.ts';
import { SecuredProxy } from '../../infra/local/secured-proxy.ts';
import type { Stack } from '../../infra/local/running-stack.ts';
import { documentedKafkaPermissions, documentedRedisRules } from './documented-permissions.ts';
import { serviceNames, type OwnSettings, type ServiceName } from './services.ts';

export const application = 'applications';
export const canary = 'canary';
type Proxied = 'elasticsearch' | 'registry';

const users = [...serviceNames, canary, application] as const;
const noStores = {
  ELASTICSEARCH_URL: undefined,
  MONGODB_URL: undefined,
  MONGODB_USERNAME: undefined,
  MONGODB_PASSWORD_FILE: undefined,
  MONGODB_TLS_CA_FILE: undefined,
  REDIS_URL: undefined,
  REDIS_USERNAME: undefined,
  REDIS_PASSWORD_FILE: undefined,
  REDIS_TLS_CA_FILE: undefined,
};

export interface Refusal {
  service: ServiceName;
  /** In the readiness of the service. */
  problem: RegExp;
  begin: () => Promise<void>;
  mend: () => Promise<void>;
}

/** The settings of wrong credentials that end the indexer's start, by what the message has to name. */
export function wrongCredentials(file: string): [setting: string, settings: Record<string, string>][] {
  return [
    ['KAFKA_SASL_PASSWORD', { KAFKA_SASL_PASSWORD_FILE: file }],
    ['SCHEMA_REGISTRY_TOKEN', { SCHEMA_REGISTRY_TOKEN_FILE: file }],
    ['ELASTICSEARCH_API_KEY', { ELASTICSEARCH_API_KEY_FILE: file }],
    ['MONGODB_PASSWORD', { MONGODB_PASSWORD_FILE: file }],
    ['REDIS_PASSWORD', { REDIS_PASSWORD_FILE: file }],
  ];
}

/** A user for each service and each engine, who may do what docs/engines.md says and nothing else; every secret is in a file. */
export class SecuredAccess implements AsyncDisposable {
  readonly #stack: Stack;
  readonly #folder = temporaryFolder('secrets');
  readonly #proxies: Record<Proxied, SecuredProxy>;
  /** The secrets that the proxies take. */
  readonly #taken: Record<Proxied, string>;

  private constructor(stack: Stack, proxies: Record<Proxied, SecuredProxy>, taken: Record<Proxied, string>) {
    this.#stack = stack;
    this.#proxies = proxies;
    this.#taken = taken;
  }

  static async create(stack: Stack): Promise<SecuredAccess> {
    const taken = { elasticsearch: newSecret(), registry: newSecret() };
    const behind = async (target: string, scheme: string, name: keyof typeof taken): Promise<SecuredProxy> =>
      SecuredProxy.start({
        security: stack.security!,
        target,
        refuse: ({ headers }) => (headers.authorization === `${scheme} ${taken[name]}` ? undefined : 401),
      });
    const access = new SecuredAccess(
      stack,
      {
        elasticsearch: await behind(stack.env['ELASTICSEARCH_URL']!, 'ApiKey', 'elasticsearch'),
        registry: await behind(stack.env['SCHEMA_REGISTRY_URL']!, 'Bearer', 'registry'),
      },
      taken,
    );
    access.#write('elasticsearch', taken.elasticsearch);
    access.#write('registry', taken.registry);
    access.#write('mongodb', stack.security!.password);
    access.#write('wrong', 'not-it');
    access.#write('canary', newSecret() + newSecret());
    for (const user of users) await access.#setKafkaPassword(user);
    await changeKafkaPermissions(stack, documentedKafkaPermissions(serviceNames));
    await access.#setRedisUser('indexer');
    await access.#setRedisUser('fanout');
    return access;
  }

  /** By service. */
  get settings(): OwnSettings {
    const { ca } = this.#stack.security!;
    const common = (user: ServiceName): Record<string, string> => this.#logSettings(user);
    const redis = (user: ServiceName): Record<string, string> => ({
      REDIS_USERNAME: user,
      REDIS_PASSWORD_FILE: this.file(`redis-${user}`),
    });
    return {
      ingest: { ...common('ingest'), ...noStores },
      correlator: { ...common('correlator'), ...noStores },
      indexer: {
        ...common('indexer'),
        ...redis('indexer'),
        ELASTICSEARCH_URL: this.#proxies.elasticsearch.url,
        ELASTICSEARCH_API_KEY_FILE: this.file('elasticsearch'),
        ELASTICSEARCH_TLS_CA_FILE: ca,
        MONGODB_PASSWORD_FILE: this.file('mongodb'),
      },
      fanout: { ...common('fanout'), ...redis('fanout'), ELASTICSEARCH_URL: undefined },
    };
  }

  /** Of the canary, which needs no engine but Kafka and the registry. */
  get canarySettings(): Record<string, string | undefined> {
    return { ...this.#logSettings(canary), ...noStores };
  }

  #logSettings(user: string): Record<string, string> {
    return {
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD_FILE: this.file(`kafka-${user}`),
      SCHEMA_REGISTRY_URL: this.#proxies.registry.url,
      SCHEMA_REGISTRY_TOKEN_FILE: this.file('registry'),
      SCHEMA_REGISTRY_TLS_CA_FILE: this.#stack.security!.ca,
    };
  }

  /** For each engine that a service works with all the time: how it begins to refuse, what is said then, and how that is mended. */
  get refusals(): Refusal[] {
    const writing: KafkaPermission = {
      user: 'ingest',
      resource: 'topic',
      name: topics.events,
      operation: 'Write',
    };
    return [
      {
        service: 'ingest',
        problem: /Kafka: the user lacks a permission on the topic.*KAFKA_SASL_USERNAME/,
        begin: () => changeKafkaPermissions(this.#stack, [writing], { revoke: true }),
        mend: () => changeKafkaPermissions(this.#stack, [writing]),
      },
      {
        service: 'indexer',
        problem: /Elasticsearch \(ELASTICSEARCH_URL\): .*\(401\): ELASTICSEARCH_API_KEY/,
        begin: async () => void (this.#taken.elasticsearch = newSecret()),
        mend: async () => this.#write('elasticsearch', this.#taken.elasticsearch),
      },
      {
        service: 'indexer',
        problem: /MongoDB \(MONGODB_URL\): it refuses the login \(18\): MONGODB_USERNAME, MONGODB_PASSWORD/,
        begin: async () => this.#write('mongodb', 'not-it'),
        mend: async () => this.#write('mongodb', this.#stack.security!.password),
      },
      {
        service: 'indexer',
        problem: /Redis: its user lacks a permission: REDIS_USERNAME \(NOPERM/,
        begin: () => this.#asRedisAdmin((redis) => redis.call('ACL', 'SETUSER', 'indexer', 'resetkeys')),
        mend: () =>
          this.#asRedisAdmin((redis) =>
            redis.call(
              'ACL',
              'SETUSER',
              'indexer',
              ...documentedRedisRules().filter((rule) => rule.startsWith('~')),
            ),
          ),
      },
    ];
  }

  /** The file of a secret. */
  file(name: string): string {
    return join(this.#folder.path, name);
  }

  read(name: string): string {
    return readFileSync(this.file(name), 'utf8').trim();
  }

  /** Changes every secret on both sides: the engine first, as its open connections stay. */
  async rotate(): Promise<void> {
    for (const user of users) await this.#setKafkaPassword(user);
    for (const user of ['indexer', 'fanout']) await this.#setRedisUser(user);
    this.#write('elasticsearch', (this.#taken.elasticsearch = newSecret()));
    this.#write('registry', (this.#taken.registry = newSecret()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of Object.values(this.#proxies)) proxy[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }

  async #setKafkaPassword(user: string): Promise<void> {
    const password = newSecret();
    await setKafkaPassword(this.#stack, user, password);
    this.#write(`kafka-${user}`, password);
  }

  async #setRedisUser(user: string): Promise<void> {
    const password = newSecret();
    await this.#asRedisAdmin(async (redis) => {
      await redis.call('ACL', 'SETUSER', user, 'reset', 'on', `>${password}`, ...documentedRedisRules());
      // For a restart.
      await redis.call('ACL', 'SAVE');
    });
    this.#write(`redis-${user}`, password);
  }

  async #asRedisAdmin(work: (redis: Redis) => Promise<unknown>): Promise<void> {
    const { ca, password } = this.#stack.security!;
    const redis = new Redis(this.#stack.env['REDIS_URL']!, {
      username: 'admin',
      password,
      tls: { ca: readFileSync(ca) },
    });
    try {
      await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** As secrets of Kubernetes are: another file takes the place of the old one. */
  #write(name: string, secret: string): void {
    writeFileSync(`${this.file(name)}.new`, `${secret}\n`, { mode: 0o600 });
    renameSync(`${this.file(name)}.new`, this.file(name));
  }
}

function newSecret(): string {
  return randomBytes(18).toString('base64url');
}
