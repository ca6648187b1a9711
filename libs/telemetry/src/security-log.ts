import type { Counter } from 'prom-client';
import { telemetryMetrics } from './metrics/own-metrics.ts';
import type { Telemetry } from './telemetry.ts';

/** What is known of a refused client. The client chose these values. */
export interface RefusedSender {
  address?: string | undefined;
  /** The host name that the request was for, and the origin of the page that sent it. */
  host?: string | undefined;
  origin?: string | undefined;
  /** The reason in words. */
  detail?: string | undefined;
}

/** The client of an audited action. */
export interface Actor {
  /** The subject of its token; undefined where no token is required. */
  subject?: string | undefined;
  address?: string | undefined;
}

const reportEveryMs = 10_000;
const maxText = 200;
/** A query says what was read, so it is kept whole up to a length that no person would write. */
const maxQuery = 4_096;

/**
 * Counts every refused request in `logloom_security_refused_requests_total`, by port and reason. The log gets the latest refusal of each
 * port and reason with the number since the last line, at most every 10 s: a flood of requests must not flood the log.
 */
export class SecurityLog {
  readonly #logger: Telemetry['logger'];
  readonly #refused: Counter<'port' | 'reason'>;
  readonly #unreported = new Map<string, { count: number; reportedAtMs: number }>();

  constructor({ logger, registry }: Pick<Telemetry, 'logger' | 'registry'>) {
    this.#logger = logger;
    this.#refused = telemetryMetrics.refusedRequests.create(registry);
  }

  /** `port` is what the port is for, `reason` an error code: both have few values. */
  refused(port: string, reason: string, sender: RefusedSender): void {
    this.#refused.inc({ port, reason });
    const key = `${port} ${reason}`;
    const unreported = this.#unreported.get(key) ?? { count: 0, reportedAtMs: -Infinity };
    this.#unreported.set(key, unreported);
    unreported.count++;
    const now = performance.now();
    if (now - unreported.reportedAtMs < reportEveryMs) return;
    const { count } = unreported;
    unreported.reportedAtMs = now;
    unreported.count = 0;
    this.#logger.warn({ security: 'refused', port, reason, count, ...cut(sender) }, 'requests were refused');
  }

  /** A client started a job, or changed what the server stores. */
  ordered(what: string, { subject, address }: Actor): void {
    this.#logger.info(
      { security: 'ordered', what, ...cut({ subject, address }) },
      'a client changed something',
    );
  }

  /** A client read events: `what` is the route or stream, `query` the query. */
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
