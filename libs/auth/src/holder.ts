import type { Filter } from '@logloom/filter';
import type { AuthError } from './auth-error.ts';

/** Who asks, as far as it is known. */
export interface Holder {
  /**
   * Names the holder uniquely: issuer, subject and imposed filter. What is kept on the server under a name that a holder chose must be
   * kept under this one too. Undefined where no tokens are asked for.
   */
  subject?: string;
  /** What the token calls its holder (`sub`), for people. */
  name?: string;
  /** Milliseconds since 1970. */
  expiresAtMs?: number;
  /** What the holder may see at most; undefined: everything. */
  filter?: Filter;
}

export type Access = { ok: true; holder: Holder } | { ok: false; error: AuthError };

/** A request as far as access depends on it. */
export interface AccessRequest {
  /** Path and query. */
  url?: string | undefined;
  headers: { authorization?: string | undefined; 'sec-websocket-protocol'?: string | undefined };
}

/** Finds out who asks. It never rejects. */
export type Authenticate = (request: AccessRequest) => Promise<Access>;
