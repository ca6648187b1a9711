import { Client, UndiciConnection, type ClientOptions } from '@elastic/elasticsearch';
import {
  type AccessFaults,
  EngineAccessError,
  givenTls,
  LiveTls,
  LiveValues,
  tlsFault,
  tlsHandshakeError,
  type FileValue,
  type TlsMaterial,
  type TlsValues,
} from '@logloom/settings/connection';

const answerMs = 5_000;

/** Who asks Elasticsearch and by which certificates, beside its addresses. Plain data: it is copied to worker threads. */
export interface ElasticsearchAccess {
  apiKey?: FileValue | undefined;
  tls?: TlsValues | undefined;
}

/** The credentials as the files of the settings hold them now. */
export class ElasticsearchCredentials implements Disposable {
  readonly #tls: LiveTls | undefined;
  readonly #apiKey: LiveValues<'key', string | undefined>;
  #version = 0;

  /** `onTrouble` gets why a changed file cannot be used. Throws SettingsError when one cannot be used at the start. */
  constructor({ apiKey, tls }: ElasticsearchAccess = {}, onTrouble?: (message: string) => void) {
    const onChange = (): void => void this.#version++;
    this.#apiKey = new LiveValues({ values: { key: apiKey }, make: ({ key }) => key, onTrouble });
    if (tls !== undefined && givenTls(tls) !== undefined)
      this.#tls = new LiveTls('ELASTICSEARCH_TLS', tls, { onTrouble, onChange });
  }

  /** Counts the changes of the certificates. */
  get version(): number {
    return this.#version;
  }

  get authorization(): string | undefined {
    const key = this.#apiKey.current;
    return key === undefined ? undefined : `ApiKey ${key}`;
  }

  get tls(): TlsMaterial | undefined {
    return this.#tls?.current;
  }

  [Symbol.dispose](): void {
    this.#apiKey[Symbol.dispose]();
    this.#tls?.[Symbol.dispose]();
  }
}

/** The nodes of ELASTICSEARCH_URL. */
export function nodesOf(urls: string): string[] {
  return urls.split(',').map((url) => url.trim());
}

/** A client of these nodes whose every request has the newest API key, and whose new connections the newest certificates. */
export function createClient(
  urls: string,
  credentials: ElasticsearchCredentials,
  options: Pick<ClientOptions, 'maxRetries' | 'requestTimeout'>,
): Client {
  class LiveConnection extends UndiciConnection {
    readonly #options: ConstructorParameters<typeof UndiciConnection>[0];
    #version = credentials.version;

    constructor(given: ConstructorParameters<typeof UndiciConnection>[0]) {
      const made = { ...given, ...tlsOf(credentials) };
      super(made);
      this.#options = given;
    }

    // It has two signatures, for bodies as text and as streams, and is here for both.
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    override request(params: Parameters<UndiciConnection['request']>[0], more: any): Promise<any> {
      if (this.#version !== credentials.version) {
        this.#version = credentials.version;
        const old = this.pool;
        this.pool = new UndiciConnection({ ...this.#options, ...tlsOf(credentials) }).pool;
        void old.close();
      }
      const { authorization } = credentials;
      const headers = { ...params.headers, ...(authorization !== undefined && { authorization }) };
      return super.request({ ...params, headers }, more as never);
    }
  }
  return new Client({ nodes: nodesOf(urls), Connection: LiveConnection, ...options });
}

function tlsOf({ tls }: ElasticsearchCredentials): {
  tls?: { ca?: string; cert?: string; key?: string; passphrase?: string };
} {
  if (tls === undefined) return {};
  const { secureContext: _, ...texts } = tls;
  return { tls: texts };
}

/** Why Elasticsearch does not take this client, with the setting; undefined where something else is wrong. */
export function accessFault(error: unknown): string | undefined {
  const names = {
    prefix: 'ELASTICSEARCH_TLS',
    address: 'ELASTICSEARCH_URL',
    on: 'ELASTICSEARCH_URL says https:',
  };
  const fault = tlsFault(error, names);
  if (fault !== undefined) return fault;
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  return statusCode === undefined ? undefined : refusal(statusCode, message ?? '');
}

/** The fault of an answer, or of a part of one, with this status; undefined where it is none of access. */
export function refusal(status: number, reason: string): string | undefined {
  if (status === 401)
    return 'it refuses the credentials (401): ELASTICSEARCH_API_KEY, or the user and password in ELASTICSEARCH_URL';
  if (status !== 403 || !/security_exception|unauthorized/i.test(reason)) return undefined;
  return `its role lacks a permission (403): ELASTICSEARCH_API_KEY, or the user in ELASTICSEARCH_URL (${reason.slice(0, 300)})`;
}

/** Keeps in `faults` what Elasticsearch refuses of the client's requests. */
export function noteFaults(client: Client, faults: AccessFaults): void {
  client.diagnostic.on('response', (error, result) => {
    const { method, path } = result?.meta.request.params ?? { method: '', path: '' };
    const operation = `${method} ${/_[a-z_]+/.exec(path)?.[0] ?? ''}`;
    const fault = error === null ? undefined : accessFault(error);
    if (fault === undefined) {
      if (error === null) faults.taken(operation);
      return;
    }
    faults.refused(fault, (error as { statusCode?: number }).statusCode === 403 ? operation : undefined);
  });
}

/** Throws EngineAccessError when Elasticsearch refuses this client; returns also when it is away, which may pass. */
export async function checkAccess(
  client: Client,
  urls: string,
  credentials: ElasticsearchCredentials,
): Promise<void> {
  try {
    await client.info({}, { requestTimeout: answerMs });
  } catch (error) {
    const fault = accessFault(error) ?? (await tlsFaultOf(urls, credentials));
    if (fault !== undefined)
      throw new EngineAccessError(`Elasticsearch (ELASTICSEARCH_URL): ${fault}`, { cause: error });
  }
}

/** The client says no more than that it cannot connect. */
async function tlsFaultOf(urls: string, { tls }: ElasticsearchCredentials): Promise<string | undefined> {
  for (const url of nodesOf(urls)) {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== 'https:') continue;
    const error = await tlsHandshakeError(hostname, Number(port || 443), tls?.secureContext);
    const fault = error && accessFault(error);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
