import type { Engine, EngineName } from './engine.ts';
import type { StackSecurity } from './stack-security.ts';
import type { ServerProcess } from './server-process.ts';

/** The running engines. Asking for one that is missing or was not wanted throws. */
export class Stack {
  /** Why engines that were wanted do not run: `engine missing: …`, fit for a test's skip. */
  readonly missing: Readonly<Partial<Record<EngineName, string>>>;
  /** The authority and the user of a secured stack. */
  readonly security: StackSecurity | undefined;
  readonly #engines: ReadonlyMap<EngineName, Engine>;
  readonly #cleanUp: () => Promise<void>;

  constructor(
    engines: ReadonlyMap<EngineName, Engine>,
    missing: Readonly<Partial<Record<EngineName, string>>>,
    cleanUp: () => Promise<void>,
    security?: StackSecurity,
  ) {
    this.security = security;
    this.#engines = engines;
    this.missing = missing;
    this.#cleanUp = cleanUp;
  }

  /** The settings by which Logloom finds the engines, such as KAFKA_BROKERS. */
  get env(): Record<string, string> {
    return Object.assign({}, ...[...this.#engines.values()].map((engine) => engine.env)) as Record<
      string,
      string
    >;
  }

  get servers(): ServerProcess[] {
    return [...this.#engines.values()].flatMap((engine) => engine.servers);
  }

  get kafka(): { brokers: readonly ServerProcess[] } {
    return { brokers: this.#serversOf('kafka') };
  }

  /** Other addresses of a secured engine: Kafka's `mtls` and `internal`. */
  addressesOf(name: EngineName): Readonly<Record<string, string>> {
    return this.#engines.get(name)?.addresses ?? {};
  }

  get schemaRegistry(): ServerProcess {
    return this.#serversOf('schema-registry')[0]!;
  }

  get elasticsearch(): ServerProcess {
    return this.#serversOf('elasticsearch')[0]!;
  }

  get mongodb(): ServerProcess {
    return this.#serversOf('mongodb')[0]!;
  }

  get redis(): ServerProcess {
    return this.#serversOf('redis')[0]!;
  }

  get zipkin(): ServerProcess {
    return this.#serversOf('zipkin')[0]!;
  }

  /** Stops all servers, at once by SIGTERM, the stubborn by SIGKILL, and frees the ports. A second call does nothing. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.#cleanUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #serversOf(name: EngineName): readonly ServerProcess[] {
    const engine = this.#engines.get(name);
    if (engine === undefined) throw new Error(this.missing[name] ?? `${name} was not started`);
    return engine.servers;
  }
}
