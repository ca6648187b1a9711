import type { Filter } from '@logloom/filter';
import type { AuthError } from './auth-error.ts';

/** The authenticated sender of a request. */
export interface Principal {
  /**
   * Names the principal uniquely: issuer, subject and imposed filter. Whatever the server stores under a name that a client chose must be
   * stored under this name too. Undefined where no token is required.
   */
  subject?: string;
  /** The token's `sub`, for people. */
  name?: string;
  /** Milliseconds since 1970. */
  expiresAtMs?: number;
  /** The imposed filter: all that the principal may see; undefined: everything. */
  filter?: Filter;
  /** The canary: it sees its own events and documents, and nothing else. */
  isCanary?: true;
}

export type Access = { ok: true; principal: Principal } | { ok: false; error: AuthError };

/** A request as far as access depends on it. */
export interface AccessRequest {
  /** Path and query. */
  url?: string | undefined;
  headers: { authorization?: string | undefined; 'sec-websocket-protocol'?: string | undefined };
}

/** Authenticates a request. Never rejects. */
export type Authenticate = (request: AccessRequest) => Promise<Access>;
