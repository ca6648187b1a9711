import { authErrors, forwardedClientAddress, type Authenticate, type ClientAddress } from '@logloom/auth';
import { CodedError } from '@logloom/errors';
import { sendError } from '@logloom/runtime';
import { SecurityLog, type Actor, type Telemetry } from '@logloom/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../settings.ts';

export interface OperatorAccessDeps {
  authenticate: Authenticate;
  settings: Pick<Settings, 'LIVE_TRUSTED_PROXIES'>;
  telemetry: Pick<Telemetry, 'logger' | 'registry'>;
}

/** Admits whoever may see everything to the operators' routes, and notes what they order in the security log. */
export class OperatorAccess {
  readonly #security: SecurityLog;
  readonly #authenticate: Authenticate;
  readonly #addressOf: ClientAddress;
  readonly #actors = new WeakMap<FastifyRequest, Actor>();

  constructor({ authenticate, settings, telemetry }: OperatorAccessDeps) {
    this.#security = new SecurityLog(telemetry);
    this.#authenticate = authenticate;
    this.#addressOf = forwardedClientAddress(settings.LIVE_TRUSTED_PROXIES);
  }

  /** Fastify's hook: a token that is missing or wrong gets 401, one that imposes a filter 403. */
  readonly onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | void> => {
    const address = this.#addressOf(request.raw);
    const access = await this.#authenticate(request.raw);
    const error = access.ok
      ? access.principal.filter === undefined
        ? undefined
        : {
            code: 'forbidden' as const,
            message: 'a token that imposes a filter may search, and nothing else',
          }
      : access.error;
    if (error !== undefined) {
      const { code, message } = error;
      this.#security.refused('api', code, { address, detail: message });
      if (authErrors[code].status === 401) reply.header('www-authenticate', 'Bearer');
      if (authErrors[code].retriable) reply.header('retry-after', '5');
      return sendError(reply, new CodedError(authErrors, code, message));
    }
    this.#actors.set(request, { subject: access.ok ? access.principal.name : undefined, address });
  };

  /** Notes what the sender of an admitted request has ordered. */
  ordered(what: string, request: FastifyRequest): void {
    this.#security.ordered(what, this.#actors.get(request) ?? {});
  }
}
