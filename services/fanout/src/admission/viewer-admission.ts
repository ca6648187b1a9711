import {
  clientAddress,
  isLoopback,
  networkOf,
  RequestGuard,
  type Access,
  type Authenticate,
  type ClientAddress,
  type Principal,
} from '@logloom/auth';
import type { SecurityLog } from '@logloom/telemetry';
import type { IncomingMessage } from 'node:http';
import { liveError, type LiveError } from '../errors.ts';
import { AddressLimiter, type AddressLimits } from './address-limiter.ts';
import { HandshakeQueue } from './handshake-queue.ts';
import { PrincipalLimiter, type ConnectionSlot } from './principal-limiter.ts';
import type { ViewerLimits } from './viewer-limits.ts';

export interface ViewerAdmissionOptions {
  /** Viewers over this are refused with 503. */
  maxViewers: number;
  /** Handshakes that may wait; more are refused with 503. */
  maxHandshakes: number;
  limits: ViewerLimits;
  addressLimits: AddressLimits;
  /** The proxies whose X-Forwarded-For is trusted (clientAddress). */
  trustedProxies: readonly string[];
  /** The address that the server listens on, and further host names that it accepts (RequestGuard). */
  host: string;
  allowedHosts: readonly string[];
  /** Pages of these origins may connect too. */
  allowedOrigins: readonly string[];
}

/** A slot that the viewer releases once, or the reason why there is none. */
export type Admission = { ok: true; slot: ConnectionSlot } | { ok: false; error: LiveError };

/** How many subscriptions all connections of a principal may begin together, relative to one connection. */
const principalFactor = 10;

/** Decides which viewers may connect: the server's state and limits, the request guard, authentication, address and principal. */
export class ViewerAdmission {
  state: 'starting' | 'open' | 'draining' = 'starting';
  readonly addressOf: ClientAddress;
  readonly #authenticate: Authenticate;
  readonly #security: SecurityLog;
  readonly #viewerCount: () => number;
  readonly #maxViewers: number;
  readonly #guard: RequestGuard;
  readonly #handshakes: HandshakeQueue;
  readonly #addresses: AddressLimiter;
  readonly #principals: PrincipalLimiter;

  constructor(
    options: ViewerAdmissionOptions,
    authenticate: Authenticate,
    security: SecurityLog,
    viewerCount: () => number,
  ) {
    this.#authenticate = authenticate;
    this.#security = security;
    this.#viewerCount = viewerCount;
    this.#maxViewers = options.maxViewers;
    this.#guard = new RequestGuard(options);
    this.#handshakes = new HandshakeQueue(options.maxHandshakes);
    this.addressOf = clientAddress(options.trustedProxies);
    this.#addresses = new AddressLimiter(options.addressLimits);
    const { subscribesPerSecond, subscriptions } = options.limits;
    this.#principals = new PrincipalLimiter({
      subscribesPerSecond: principalFactor * subscribesPerSecond,
      burst: 2 * principalFactor * subscriptions,
    });
  }

  /** Viewers that wait to be let in. */
  get waitingHandshakes(): number {
    return this.#handshakes.inProgress;
  }

  /** Why a request is refused before its token is checked; undefined if it may queue for its handshake. */
  refusalOf(request: IncomingMessage): LiveError | undefined {
    const code = this.#guard.refusal(request);
    return code === undefined ? this.refusal() : this.report(request, liveError(code));
  }

  /** Queues the handshake, and calls `then` with who sent the request. */
  authenticate(request: IncomingMessage, then: (access: Access) => void): void {
    void this.#handshakes.enter(() => this.#authenticate(request), then);
  }

  /** Counts and logs a refusal that is due to the client or its origin; returns the error. */
  report(request: IncomingMessage, error: LiveError): LiveError {
    const { host, origin } = request.headers;
    const { code, message: detail } = error;
    this.#security.refused('live', code, { address: this.addressOf(request), host, origin, detail });
    return error;
  }

  /** Takes a slot for a viewer after its handshake. */
  enter(request: IncomingMessage, { subject }: Principal): Admission {
    const error = this.refusal();
    if (error !== undefined && error.code !== 'too-many-handshakes') return { ok: false, error };
    const address = this.addressOf(request);
    const slot = this.#addresses.enter(address);
    if (slot === undefined) return { ok: false, error: liveError('too-many-connections') };
    return { ok: true, slot: this.#principals.enter(slot, chargedTo(subject, address)) };
  }

  /** Like enter(), for a request that is itself a subscription: it costs as much as subscribing on a connection. */
  enterSubscribed(request: IncomingMessage, principal: Principal): Admission {
    const admission = this.enter(request, principal);
    const nowMs = performance.now();
    if (!admission.ok || (admission.slot.admitMessage(nowMs) && admission.slot.admitSubscribe(nowMs)))
      return admission;
    admission.slot.release();
    return { ok: false, error: liveError('rate-limited') };
  }

  /** Why no viewer is admitted at present; undefined when viewers are. */
  refusal(): LiveError | undefined {
    if (this.state !== 'open') return liveError(this.state);
    if (this.#viewerCount() >= this.#maxViewers) return liveError('too-many-viewers');
    return this.#handshakes.isFull ? liveError('too-many-handshakes') : undefined;
  }
}

/** The principal that a connection's subscriptions are charged to; undefined for local connections without a token. */
function chargedTo(subject: string | undefined, address: string | undefined): string | undefined {
  if (subject !== undefined) return `principal ${subject}`;
  return address === undefined || isLoopback(address) ? undefined : `address ${networkOf(address)}`;
}
