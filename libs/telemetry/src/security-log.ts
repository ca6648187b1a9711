import { Counter } from 'prom-client';
import type { Telemetry } from './telemetry.ts';

/** What is known of somebody who was refused; it came from outside. */
export interface RefusedSender {
  address?: string | undefined;
  /** What they called this server, and which page they came from. */
  host?: string | undefined;
  origin?: string | undefined;
  /** What is wrong, in words. */
  detail?: string | undefined;
}

/** Who did something that is kept account of. */
export interface Actor {
  /** What their token calls them; undefined where no tokens are asked for. */
  subject?: string | undefined;
  address?: string | undefined;
}

const tellEveryMs = 10_000;
const maxText = 200;
/** A query tells what was read: it is kept whole, but for one of which nobody could make sense. */
const maxQuery = 4_096;

/**
 * Who was refused at which port and why: every one in `logloom_security_refused_requests_total`, and the last of each reason in the
 * log, with how many there were, at most every 10 s: a flood of them must not flood the log.
 */
export class SecurityLog {
  readonly #logger: Telemetry['logger'];
  readonly #refused: Counter<'door' | 'reason'>;
  readonly #untold = new Map<string, { count: number; toldAt: number }>();

  constructor({ logger, registry }: Pick<Telemetry, 'logger' | 'registry'>) {
    this.#logger = logger;
    const name = 'logloom_security_refused_requests_total';
    this.#refused =
      (registry.getSingleMetric(name) as Counter<'door' | 'reason'> | undefined) ??
      new Counter({
        name,
        help: 'Requests that were refused for who or where they came from, by the code of the refusal',
        labelNames: ['door', 'reason'],
        registers: [registry],
      });
  }

  /** `door` is the port's purpose, `reason` an error's code: few of each. */
  refused(door: string, reason: string, sender: RefusedSender): void {
    this.#refused.inc({ door, reason });
    const key = `${door} ${reason}`;
    const untold = this.#untold.get(key) ?? { count: 0, toldAt: -Infinity };
    this.#untold.set(key, untold);
    untold.count++;
    const now = performance.now();
    if (now - untold.toldAt < tellEveryMs) return;
    const { count } = untold;
    untold.toldAt = now;
    untold.count = 0;
    this.#logger.warn({ security: 'refused', door, reason, count, ...cut(sender) }, 'requests were refused');
  }

  /** Somebody ordered a job, or changed what is kept on the server. */
  ordered(what: string, { subject, address }: Actor): void {
    this.#logger.info({ security: 'ordered', what, ...cut({ subject, address }) }, 'an order was given');
  }

  /** Somebody was given events: `what` is the route or stream, `query` what they asked for. */
  read(what: string, query: string, { subject, address }: Actor): void {
    const by = cut({ subject, address });
    this.#logger.info({ security: 'read', what, query: query.slice(0, maxQuery), ...by }, 'events were read');
  }
}

function cut(sender: object): Record<string, string> {
  const known = Object.entries(sender).filter(
    (field): field is [string, string] => typeof field[1] === 'string',
  );
  return Object.fromEntries(known.map(([name, text]) => [name, text.slice(0, maxText)]));
}
