import type { guardErrors } from './errors.ts';
import type { Settings } from './settings.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { isLoopback } from './check-exposure.ts';
import { glob } from './glob.ts';

export type GuardErrorCode = keyof typeof guardErrors;

export interface RequestGuardOptions {
  /** What the server listens on (HOST). */
  host: string;
  /** Further host names that it accepts; `*` stands for any text. */
  allowedHosts: readonly string[];
  /** Pages of these origins may send requests too; `*`: all. */
  allowedOrigins: readonly string[];
}

export interface GuardedRequest {
  method?: string | undefined;
  /** Path and query. */
  url?: string | undefined;
  headers: IncomingHttpHeaders;
}

/** Health probes use any host name, and these paths reveal nothing else. */
const open = new Set(['/health/live', '/health/ready', '/ready']);
const hostPattern = /^(\[[0-9a-f:.]+\]|[^\s:[\]/@?#]+?)\.?(?::\d{1,5})?$/;

/**
 * Keeps web pages that a user happens to look at from using a server that the user's browser can reach. A page whose own name was pointed
 * at this server (DNS rebinding) shows in Host; a page of another origin in Origin or Sec-Fetch-Site. Programs send neither a foreign Host
 * nor an Origin. The guard does not decide who may read or write.
 */
export class RequestGuard {
  readonly #onLoopback: boolean;
  readonly #names: ReadonlySet<string>;
  readonly #patterns: ((name: string) => boolean)[];
  readonly #allowedOrigins: readonly string[];

  constructor({ host, allowedHosts, allowedOrigins }: RequestGuardOptions) {
    this.#onLoopback = isLoopback(host);
    // Nobody else can own the machine's name; in a container it is the container's name.
    this.#names = new Set(
      this.#onLoopback ? ['localhost'] : ['localhost', host.toLowerCase(), hostname().toLowerCase()],
    );
    this.#patterns = allowedHosts.map((name) => glob(name.toLowerCase()));
    this.#allowedOrigins = allowedOrigins;
  }

  /** For a server of these settings; `forViewers` accepts pages of LIVE_ALLOWED_ORIGINS. */
  static of(
    settings: Pick<Settings, 'HOST' | 'ALLOWED_HOSTS' | 'LIVE_ALLOWED_ORIGINS'>,
    { forViewers }: { forViewers: boolean },
  ): RequestGuard {
    return new RequestGuard({
      host: settings.HOST,
      allowedHosts: settings.ALLOWED_HOSTS,
      allowedOrigins: forViewers ? settings.LIVE_ALLOWED_ORIGINS : [],
    });
  }

  /** Why the request is refused; undefined when it is not. */
  refusal({ method, url = '', headers }: GuardedRequest): GuardErrorCode | undefined {
    if (open.has(url.split('?', 1)[0]!)) return undefined;
    if (headers.host !== undefined && !this.#isOwn(headers.host)) return 'bad-host';
    const { origin } = headers;
    if (origin !== undefined)
      return isAllowedOrigin(origin, headers.host, this.#allowedOrigins) ? undefined : 'bad-origin';
    if (headers['sec-fetch-site'] !== 'cross-site' || this.#allowedOrigins.includes('*')) return undefined;
    // The user has followed a link from another page: the response is shown to the user, not to that page.
    const isVisit =
      (method === 'GET' || method === 'HEAD') &&
      headers['sec-fetch-mode'] === 'navigate' &&
      headers['sec-fetch-dest'] === 'document';
    return isVisit ? undefined : 'bad-origin';
  }

  /** A Host that is an address is safe: only names can be pointed at another server. */
  #isOwn(host: string): boolean {
    const name = hostPattern.exec(host.toLowerCase())?.[1];
    if (name === undefined) return false;
    if (this.#names.has(name)) return true;
    const address = name.startsWith('[') ? name.slice(1, -1) : name;
    if (isIP(address) !== 0 && (!this.#onLoopback || isLoopback(address))) return true;
    return this.#patterns.some((matches) => matches(name));
  }
}

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a page may send requests: only pages of the same host, of `allowed` origins ('*': all), or on loopback of any port may. Clients
 * other than browsers send no Origin.
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[] = [],
): boolean {
  if (origin === undefined || allowed.includes('*')) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  if (allowed.some((other) => other.toLowerCase() === from.origin)) return true;
  if (host === undefined) return false;
  if (from.host === host.toLowerCase()) return true;
  const to = `http://${host}`;
  return loopbackNames.has(from.hostname) && URL.canParse(to) && loopbackNames.has(new URL(to).hostname);
}
