import {
  LiveTls,
  LiveValues,
  speaksTls,
  tlsFault,
  tlsHandshakeError,
  type FileValue,
  type TlsValues,
} from '@logloom/settings/connection';
import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';

/** Who asks the registry and by which certificates, beside its URL. Plain data. */
export interface SchemaRegistryAccess {
  /** Instead of the URL's. */
  username?: FileValue | undefined;
  password?: FileValue | undefined;
  /** A bearer token, instead of a user and password. */
  token?: FileValue | undefined;
  tls?: TlsValues | undefined;
}

/** Where the registry is, and the credentials for it as the files of the settings hold them now. */
export class SchemaRegistryCredentials implements Disposable {
  /** The URL without a user and without a slash at its end. */
  readonly host: string;
  readonly agent: HttpAgent;
  readonly #login: LiveValues<'username' | 'password' | 'token', string | undefined>;
  readonly #tls: LiveTls | undefined;

  /** `onTrouble` gets why a changed file cannot be used. Throws SettingsError when one cannot be used at the start. */
  constructor(url: string, access: SchemaRegistryAccess = {}, onTrouble?: (message: string) => void) {
    const parsed = new URL(url);
    const [urlUser, urlPassword] = [parsed.username, parsed.password].map(decodeURIComponent);
    parsed.username = parsed.password = '';
    this.host = parsed.href.replace(/\/$/, '');
    const { username, password, token } = access;
    this.#login = new LiveValues({
      values: { username, password, token },
      make: (texts) => {
        if (texts.token !== undefined) return `Bearer ${texts.token}`;
        const user = texts.username ?? urlUser;
        const secret = texts.password ?? urlPassword;
        if (!user && !secret) return undefined;
        return `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
      },
      onTrouble,
    });
    if (parsed.protocol === 'http:') {
      this.agent = new HttpAgent({ keepAlive: true });
      return;
    }
    const live = new LiveTls('SCHEMA_REGISTRY_TLS', access.tls ?? {}, { onTrouble });
    this.#tls = live;
    // A resumed session would be one of the certificates before.
    const agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (options, onConnect) =>
      connect(Object.assign({}, options, { secureContext: live.current.secureContext }), onConnect);
    this.agent = agent;
  }

  get authorization(): string | undefined {
    return this.#login.current;
  }

  /** Why no connection can be made, with the setting; undefined where the registry is away, or nothing is wrong. */
  async connectionFault(): Promise<string | undefined> {
    const { protocol, hostname, port } = new URL(this.host);
    if (protocol === 'http:')
      return (await speaksTls(hostname, Number(port || 80)))
        ? 'it speaks TLS on this port: write https: in SCHEMA_REGISTRY_URL'
        : undefined;
    const error = await tlsHandshakeError(hostname, Number(port || 443), this.#tls?.current.secureContext);
    const names = {
      prefix: 'SCHEMA_REGISTRY_TLS',
      address: 'SCHEMA_REGISTRY_URL',
      on: 'SCHEMA_REGISTRY_URL says https:',
    };
    return error && tlsFault(error, names);
  }

  [Symbol.dispose](): void {
    this.#login[Symbol.dispose]();
    this.#tls?.[Symbol.dispose]();
    this.agent.destroy();
  }
}
