import {
  MongoClient,
  ReadPreference,
  type ClientSession,
  type ClusterTime,
  type Collection,
  type Db,
  type ServerHeartbeatFailedEvent,
  type Timestamp,
} from 'mongodb';
import { accessFault, MongoCredentials, type MongoAccess } from './access.ts';
import type { CorrelationDocument, EventDocument, MarkDocument } from './document.ts';
import { withRetries } from './errors.ts';
import { otherEvents } from './slices.ts';

const correlations = 'correlations';
const defaultDatabase = 'logloom';
const alreadyInitialized = 23;
/** Another process may have dropped a slice, so after this time it is checked again before a write, ms. */
const preparedMs = 60_000;

/** After a change of the credentials, the client before keeps working for what it has begun: longer than any write may take, ms. */
const replacedMs = 60_000;

export interface MongoStoreOptions {
  serverSelectionTimeoutMS: number;
  access?: MongoAccess | undefined;
  /** What the names of its collections begin with; default: nothing. */
  collectionPrefix?: string | undefined;
  /** Gets why a changed file with a credential cannot be used. */
  onTrouble?: ((message: string) => void) | undefined;
}

/** The archive's database: its collections as they have to be, and sessions that see what this process has written. */
export class MongoStore {
  readonly #url: string;
  readonly #options: MongoStoreOptions;
  readonly #prefix: string;
  readonly #credentials: MongoCredentials;
  readonly #replaced = new Set<MongoClient>();
  #client: MongoClient;
  readonly #prepared = new Map<string, { at: number; done: Promise<void> }>();
  #isSharded = false;
  #lastWrite: { operationTime?: Timestamp; clusterTime?: ClusterTime | undefined } = {};

  /** Throws SettingsError when a certificate cannot be used. */
  constructor(url: string, options: MongoStoreOptions) {
    this.#url = url;
    this.#options = options;
    this.#prefix = options.collectionPrefix ?? '';
    this.#credentials = new MongoCredentials(
      url,
      options.access,
      () => this.#replaceClient(),
      options.onTrouble,
    );
    this.#client = this.#newClient();
  }

  /** Connects; a writer also makes the collections that are always there. */
  async open(readOnly: boolean): Promise<void> {
    await withRetries(() => this.#connect());
    if (readOnly) return;
    await withRetries(async () => {
      const admin = this.#client.db('admin');
      this.#isSharded = (await admin.command({ hello: 1 }))['msg'] === 'isdbgrid';
      if (this.#isSharded) await onlyOnce(admin.command({ enableSharding: this.db.databaseName }));
      await Promise.all([this.prepareSlice(otherEvents), this.#prepareCorrelations()]);
    });
  }

  /** Of the client as it is now: asked for anew by each operation, and never kept across an await. */
  get db(): Db {
    const hasDatabase = /^[^/]+\/\/[^/]+\/[^?]/.test(this.#url);
    return hasDatabase ? this.#client.db() : this.#client.db(defaultDatabase);
  }

  get correlations(): Collection<CorrelationDocument> {
    return this.db.collection(this.#prefix + correlations);
  }

  get marks(): Collection<MarkDocument> {
    return this.db.collection(`${this.#prefix}marks`);
  }

  /** `fromSecondaries`: reads may go to secondaries, where there are any. */
  slice(name: string, { fromSecondaries = false } = {}): Collection<EventDocument> {
    const full = this.#prefix + name;
    return fromSecondaries
      ? this.db.collection(full, { readPreference: ReadPreference.secondaryPreferred })
      : this.db.collection(full);
  }

  /** The collections of events that exist. */
  async sliceNames(): Promise<string[]> {
    const found = await this.db.listCollections({}, { nameOnly: true }).toArray();
    return found
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${this.#prefix}events_`))
      .map((name) => name.slice(this.#prefix.length));
  }

  /** Makes the collection, its indexes and, in a cluster, its distribution over the shards. */
  async prepareSlice(name: string): Promise<void> {
    const known = this.#prepared.get(name);
    if (known !== undefined && performance.now() - known.at < preparedMs) return known.done;
    const done = this.#makeSlice(name);
    this.#prepared.set(name, { at: performance.now(), done });
    try {
      await done;
    } catch (error) {
      this.#prepared.delete(name);
      throw error;
    }
  }

  async dropSlice(name: string): Promise<void> {
    this.#prepared.delete(name);
    await this.db.dropCollection(this.#prefix + name);
  }

  /** Does the work in a session that sees every write of this process, also on a secondary. */
  async inSession<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    return await this.#client.withSession({ causalConsistency: true }, async (session) => {
      const { operationTime, clusterTime } = this.#lastWrite;
      if (clusterTime !== undefined) session.advanceClusterTime(clusterTime);
      if (operationTime !== undefined) session.advanceOperationTime(operationTime);
      try {
        return await work(session);
      } finally {
        // A standalone server has no operation time.
        if (session.operationTime !== undefined)
          this.#lastWrite = { operationTime: session.operationTime, clusterTime: session.clusterTime };
      }
    });
  }

  async close(): Promise<void> {
    this.#credentials[Symbol.dispose]();
    await Promise.all([this.#client, ...this.#replaced].map((client) => client.close()));
  }

  /** The driver itself would try a certificate that it does not trust until its time for a server is over. */
  async #connect(): Promise<void> {
    const client = this.#client;
    const refused = Promise.withResolvers<never>();
    refused.promise.catch(() => {});
    const refusing = new Set<string>();
    const onFailure = ({ connectionId, failure }: ServerHeartbeatFailedEvent): void => {
      if (accessFault(failure) === undefined) return;
      refusing.add(connectionId);
      if (refusing.size >= client.options.hosts.length) refused.reject(failure);
    };
    client.on('serverHeartbeatFailed', onFailure);
    try {
      await Promise.race([client.connect(), refused.promise]);
    } finally {
      client.off('serverHeartbeatFailed', onFailure);
    }
  }

  #newClient(): MongoClient {
    return new MongoClient(this.#url, {
      ...this.#credentials.options,
      appName: 'logloom',
      serverSelectionTimeoutMS: this.#options.serverSelectionTimeoutMS,
      // A write that cannot reach the majority must fail, so that it is retried.
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: 30_000 },
    });
  }

  #replaceClient(): void {
    const replaced = this.#client;
    this.#client = this.#newClient();
    this.#replaced.add(replaced);
    setTimeout(() => {
      this.#replaced.delete(replaced);
      void replaced.close();
    }, replacedMs).unref();
  }

  async #makeSlice(name: string): Promise<void> {
    await this.slice(name).createIndexes([
      { key: { key: 'hashed' } },
      { key: { timestamp: 1, partition: 1, offset: 1 } },
      { key: { partition: 1, offset: 1 } },
    ]);
    await this.#shard(name, { key: 'hashed' });
  }

  async #prepareCorrelations(): Promise<void> {
    await this.correlations.createIndexes([{ key: { _id: 'hashed' } }, { key: { lastAt: 1 } }]);
    await this.#shard(correlations, { _id: 'hashed' });
  }

  async #shard(name: string, key: Record<string, 'hashed'>): Promise<void> {
    if (!this.#isSharded) return;
    const namespace = `${this.db.databaseName}.${this.#prefix}${name}`;
    await onlyOnce(this.#client.db('admin').command({ shardCollection: namespace, key }));
  }
}

/** Setting up what another process has set up already is no error. */
async function onlyOnce(command: Promise<unknown>): Promise<void> {
  await command.catch((error: { code?: unknown }) => {
    if (error.code !== alreadyInitialized) throw error;
  });
}
