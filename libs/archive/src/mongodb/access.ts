import {
  chain,
  givenTls,
  LiveTls,
  LiveValues,
  tlsFault,
  type FileValue,
  type TlsValues,
} from '@logloom/settings/connection';
import type { MongoClientOptions } from 'mongodb';

/** Who asks MongoDB and by which certificates, beside its URL. Plain data: it is copied to worker threads. */
export interface MongoAccess {
  /** Instead of the URL's. */
  username?: FileValue | undefined;
  password?: FileValue | undefined;
  tls?: TlsValues | undefined;
}

/** Whether the driver speaks TLS to the servers of the URL. */
export function speaksTls(url: string): boolean {
  return (
    /[?&](?:tls|ssl)=true/.test(url) || (url.startsWith('mongodb+srv:') && !/[?&](?:tls|ssl)=false/.test(url))
  );
}

/** The credentials as the files of the settings hold them now. */
export class MongoCredentials implements Disposable {
  readonly #url: string;
  readonly #login: LiveValues<'username' | 'password', { username?: string; password?: string }>;
  readonly #tls: LiveTls | undefined;

  /**
   * `onChange` is called after a changed file was taken up, `onTrouble` with why one cannot be used. Throws SettingsError when one cannot
   * be used at the start.
   */
  constructor(
    url: string,
    { username, password, tls }: MongoAccess = {},
    onChange?: () => void,
    onTrouble?: (message: string) => void,
  ) {
    this.#url = url;
    this.#login = new LiveValues({
      values: { username, password },
      make: (texts) => ({
        ...(texts.username !== undefined && { username: texts.username }),
        ...(texts.password !== undefined && { password: texts.password }),
      }),
      onChange,
      onTrouble,
    });
    if (tls !== undefined && givenTls(tls) !== undefined)
      this.#tls = new LiveTls('MONGODB_TLS', tls, { onChange, onTrouble });
  }

  /** For a client that is made now: the driver reads them once. */
  get options(): Pick<MongoClientOptions, 'auth' | 'secureContext'> {
    const { username, password } = this.#login.current;
    const [, urlUser = '', urlPassword] =
      /^mongodb(?:\+srv)?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?/.exec(this.#url) ?? [];
    const auth = {
      username: username ?? decodeURIComponent(urlUser),
      ...((password ?? urlPassword) !== undefined && {
        password: password ?? decodeURIComponent(urlPassword!),
      }),
    };
    return {
      ...((username ?? password) !== undefined && { auth }),
      ...(this.#tls !== undefined && { secureContext: this.#tls.current.secureContext }),
    };
  }

  [Symbol.dispose](): void {
    this.#login[Symbol.dispose]();
    this.#tls?.[Symbol.dispose]();
  }
}

/** The server's codes: Unauthorized; AuthenticationFailed, and Atlas's own. Source: error_codes.yml of MongoDB. */
const unauthorized = 13;
const authenticationFailed = new Set([18, 8000]);

/** Whether MongoDB has let this client in, and refuses an operation. */
export function isPermission(error: unknown): boolean {
  return [...chain(error)].some(({ code }) => code === unauthorized);
}

/** Why MongoDB does not take this client, with the setting; undefined where something else is wrong. */
export function accessFault(error: unknown): string | undefined {
  const tls = tlsFault(error, {
    prefix: 'MONGODB_TLS',
    address: 'MONGODB_URL',
    on: 'MONGODB_URL says tls=true',
  });
  if (tls !== undefined) return tls;
  for (const { code, message } of chain(error)) {
    if (authenticationFailed.has(code as number))
      return `it refuses the login (${String(code)}): MONGODB_USERNAME, MONGODB_PASSWORD, or those in MONGODB_URL; for X.509 MONGODB_TLS_CERT`;
    if (code === unauthorized)
      return `its user lacks a permission, or there is no login (${code}): MONGODB_USERNAME (${message.slice(0, 200)})`;
  }
  return undefined;
}
