import type kafkajs from 'kafkajs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { LiveTls, LiveValues } from '@logloom/settings/connection';
import { OauthTokens } from './oauth-tokens.ts';
import type { KafkaSaslOptions, KafkaSecurityOptions } from './options.ts';

const keepAliveMs = 60_000;

interface Login {
  username: string;
  password: string;
}

/**
 * How this client connects to brokers and who it is, by what the files of the settings hold now: a new connection uses the newest
 * certificates and credentials, and an open one stays as it is.
 */
export class KafkaSecurity implements Disposable {
  readonly mechanism: KafkaSaslOptions['mechanism'] | undefined;
  readonly #tls: LiveTls | undefined;
  readonly #login: LiveValues<keyof Login, Login> | undefined;
  readonly #tokens: OauthTokens | undefined;
  readonly #listeners = new Set<() => void>();

  /** `onTrouble` gets why a changed file cannot be used. Throws SettingsError when one cannot be used at the start. */
  constructor({ tls, sasl }: KafkaSecurityOptions = {}, onTrouble?: (message: string) => void) {
    this.mechanism = sasl?.mechanism;
    const onChange = (): void => this.#listeners.forEach((listener) => listener());
    if (tls !== undefined) this.#tls = new LiveTls('KAFKA_SSL', tls, { onTrouble, onChange });
    if (sasl?.oauth !== undefined) this.#tokens = new OauthTokens(sasl.oauth, onTrouble, onChange);
    else if (sasl !== undefined)
      this.#login = new LiveValues({
        values: { username: sasl.username, password: sasl.password },
        make: ({ username = '', password = '' }) => ({ username, password }),
        onTrouble,
        onChange,
      });
  }

  get isTls(): boolean {
    return this.#tls !== undefined;
  }

  /** For kafkajs, which asks again for each connection; undefined: no SASL. */
  get sasl(): kafkajs.SASLOptions | undefined {
    if (this.mechanism === undefined) return undefined;
    const [login, tokens] = [this.#login, this.#tokens];
    if (tokens !== undefined) return { mechanism: 'oauthbearer', oauthBearerProvider: () => tokens.get() };
    return {
      mechanism: this.mechanism,
      get username() {
        return login!.current.username;
      },
      get password() {
        return login!.current.password;
      },
    } as kafkajs.SASLOptions;
  }

  /** Calls the listener after a changed file was taken up. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Opens a connection to host:port; `onConnect` is called when it is ready, in TLS once the broker's certificate was verified. */
  connect(host: string, port: number, onConnect: () => void): Socket {
    const socket =
      this.#tls === undefined
        ? connectPlain({ host, port }, onConnect)
        : connectTls(
            {
              host,
              port,
              secureContext: this.#tls.current.secureContext,
              // A server cannot choose its certificate by an address; the address is verified nevertheless.
              ...(isIP(host) === 0 && { servername: host }),
            },
            onConnect,
          );
    return socket.setKeepAlive(true, keepAliveMs);
  }

  [Symbol.dispose](): void {
    this.#tls?.[Symbol.dispose]();
    this.#login?.[Symbol.dispose]();
    this.#tokens?.[Symbol.dispose]();
  }
}
