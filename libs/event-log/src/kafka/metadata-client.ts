import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerClient } from './broker-client.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import type { KafkaSettings } from './options.ts';
import { accessFault } from './security/access-fault.ts';

/** A broker that does not answer within it counts as away. */
const answerMs = 2_000;

/** Asks each broker by itself what it knows of the cluster, over connections that are kept. */
export class MetadataClient {
  readonly #settings: KafkaSettings;
  readonly #clients = new Map<string, BrokerClient>();
  #fault: string | undefined;
  #isClosed = false;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
    // So that it is known at once whether the brokers take what has changed.
    settings.security.onChange(() => this.#disconnect());
  }

  /** Why the broker that was asked last does not take this client; undefined when it does, or is away. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Undefined when the broker at host:port does not answer in time. */
  async ask(address: string, topics: readonly string[]): Promise<ClusterMetadata | undefined> {
    if (this.#isClosed) return undefined;
    let client = this.#clients.get(address);
    if (client === undefined) {
      client = new BrokerClient(this.#settings, address, answerMs);
      this.#clients.set(address, client);
    }
    const timer = new AbortController();
    const late = sleep(answerMs, undefined, { signal: timer.signal, ref: false }).then(() => {
      throw new Error(`${address} does not answer`);
    });
    late.catch(() => {});
    try {
      const metadata = await Promise.race([client.metadata(topics), late]);
      this.#fault = undefined;
      return metadata;
    } catch (error) {
      this.#fault = accessFault(error);
      if (this.#clients.get(address) === client) this.#clients.delete(address);
      client.close();
      return undefined;
    } finally {
      timer.abort();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#disconnect();
  }

  #disconnect(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}
