import { Correlate, type CorrelateOptions, type InputRecord, type JoinEffect } from '@logloom/correlator';
import type { RuleSet } from '@logloom/rules';
import type { Alert, Correlation, Link, LogEvent } from '@logloom/schemas';

/** Events that a link may still reach; older ones are in documents that were closed for long. */
const maxEvents = 100_000;

/** The correlator's core on a log of one partition that is only in memory: what it would append follows at once. */
export class CorrelateInMemory {
  readonly #correlate: Correlate;
  readonly #events = new Map<number, Pick<InputRecord, 'event' | 'forwarded'>>();
  readonly #documents: Correlation[];
  readonly #alerts: Alert[];
  /** The next record's. */
  offset = 0;

  constructor(options: CorrelateOptions, rules: RuleSet, documents: Correlation[], alerts: Alert[]) {
    this.#correlate = new Correlate(0, options, { rules });
    this.#documents = documents;
    this.#alerts = alerts;
  }

  add(event: LogEvent | null, links: readonly Omit<Link, 'cause'>[], timestampMs: number): void {
    for (const link of links) this.#apply({ event: null, link: { type: 'link', ...link } }, timestampMs);
    this.#apply({ event }, timestampMs);
  }

  /** When the next session that is open closes, ms; null when none is. */
  get nextDeadlineMs(): number | null {
    return this.#correlate.nextDeadlineMs;
  }

  /** Closes what is due next. */
  closeNext(): void {
    const { nextDeadlineMs } = this;
    if (nextDeadlineMs !== null) this.#apply({ event: null }, nextDeadlineMs);
  }

  #apply(record: Omit<InputRecord, 'offset' | 'timestampMs'>, timestampMs: number): void {
    const effects: JoinEffect[] = [];
    const offset = this.offset++;
    if (record.event !== null) {
      this.#events.set(offset, record);
      if (this.#events.size > maxEvents) this.#events.delete(this.#events.keys().next().value!);
    }
    this.#correlate.apply({ ...record, offset, timestampMs }, this.#documents, this.#alerts, effects);
    for (const effect of effects)
      if (effect.type === 'link') this.#apply({ event: null, link: effect }, timestampMs);
      else for (const member of effect.offsets) this.#forward(member, effect, timestampMs);
  }

  #forward(member: number, { into, kind }: { into: string; kind: string }, timestampMs: number): void {
    const known = this.#events.get(member);
    if (known === undefined) return;
    const { event, forwarded = { partition: 0, offset: member, hops: 0 } } = known;
    const { partition, offset, hops } = forwarded;
    this.#apply({ event, forwarded: { into, kind, partition, offset, hops: hops + 1 } }, timestampMs);
  }
}
