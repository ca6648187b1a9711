import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';

/** An unreachable collector stays so for a while: one line a minute is enough. */
const reportEveryMs = 60_000;

type OnResult = Parameters<SpanExporter['export']>[1];

/** An exporter that reports its failures: the SDK itself drops the spans silently. */
export class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #name: string;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #now: () => number;
  #lost = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  /** `now` is in milliseconds. */
  constructor(
    exporter: SpanExporter,
    name: string,
    logger: Pick<Logger, 'warn'>,
    now: () => number = () => performance.now(),
  ) {
    this.#exporter = exporter;
    this.#name = name;
    this.#logger = logger;
    this.#now = now;
  }

  export(spans: ReadableSpan[], onResult: OnResult): void {
    this.#exporter.export(spans, (result) => {
      if (result.error !== undefined) this.#report(spans.length, result.error);
      onResult(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  #report(spans: number, error: Error): void {
    this.#lost += spans;
    if (this.#now() - this.#reportedAtMs < reportEveryMs) return;
    this.#reportedAtMs = this.#now();
    this.#logger.warn(
      { err: error, exporter: this.#name, spans: this.#lost },
      'spans cannot be sent and are lost; events are not affected',
    );
    this.#lost = 0;
  }
}
