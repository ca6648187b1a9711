import type { Carrier, TraceHeaders, Tracing } from '@logloom/telemetry';

const maxIds = 10_000;

/**
 * The trace of an open session, from its first sampled member, for the document that closes it later. It is only in memory: after a restart
 * a document may lack its trace, but nothing else.
 */
export class TraceMemory {
  readonly #tracing: Tracing;
  readonly #headers = new Map<string, TraceHeaders>();

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  remember(correlationId: string, member: Carrier): void {
    const headers = this.#tracing.headersFor(member);
    if (headers === undefined || this.#headers.has(correlationId)) return;
    if (this.#headers.size >= maxIds) this.#headers.delete(this.#headers.keys().next().value!);
    this.#headers.set(correlationId, headers);
  }

  /** The headers for the session's document, once. */
  take(correlationId: string): { headers?: TraceHeaders } {
    const headers = this.#headers.get(correlationId);
    if (headers === undefined) return {};
    this.#headers.delete(correlationId);
    return { headers };
  }
}
