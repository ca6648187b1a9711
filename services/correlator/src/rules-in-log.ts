import type { EventLog } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import type { Serde } from '@logloom/schema-registry';
import { topics, type Rules } from '@logloom/schemas';

const hourMs = 3_600_000;

/** So often (ms) the rules in force are written again, so that retention does not take the record that a restart looks for. */
export function refreshInterval(retentionMs: number | undefined): number {
  return Math.min(hourMs, Math.floor((retentionMs ?? Infinity) / 4));
}

/** Rules of records are parsed once: every partition gets the same text. */
const parsed = new Map<string, RuleSet | undefined>();
const maxParsed = 16;

/** The rules of a record: null for none, undefined where this release cannot read them. */
export async function rulesOfRecord({ version, text }: Rules): Promise<RuleSet | null | undefined> {
  if (text === '') return null;
  if (!parsed.has(version) || parsed.get(version)?.text !== text) {
    const { parseRules } = await import('@logloom/rules/rules-file');
    const result = parseRules(text);
    if (parsed.size >= maxParsed) parsed.delete(parsed.keys().next().value!);
    parsed.set(version, result.ok ? result.rules : undefined);
  }
  return parsed.get(version);
}

/** What the record at this offset says of the rules, and when it was appended (ms); null where it is gone, or says nothing. */
export async function readRules(
  log: EventLog,
  serde: Serde,
  partition: number,
  offset: number,
): Promise<{ rules: RuleSet | null; timestamp: number } | null> {
  const [record] = await log.read(topics.events, partition, offset, 1);
  if (record?.offset !== offset) return null;
  await serde.load([record.value]);
  const decoded = serde.decode(record.value);
  const rules = decoded.name === 'Rules' ? await rulesOfRecord(decoded.value) : undefined;
  return rules === undefined ? null : { rules, timestamp: record.timestamp };
}

/**
 * Sees to it that the wanted rules are in force on a partition: writes them there when what the log says is something else. Looks only
 * once everything is read that was there when the partition was opened, so that a restart does not write what is written.
 */
export class RulesWriter {
  readonly #log: EventLog;
  readonly #serde: Serde;
  readonly #partition: number;
  readonly #wanted: () => RuleSet | null;
  readonly #refreshMs: number;
  /** Nothing is written before this offset was reached. */
  #from: number;
  /** When the last record of rules was appended, ms. */
  #appendedAt = 0;

  constructor(
    log: EventLog,
    serde: Serde,
    partition: number,
    wanted: () => RuleSet | null,
    endOffset: number,
    refreshMs: number,
  ) {
    this.#refreshMs = refreshMs;
    this.#log = log;
    this.#serde = serde;
    this.#partition = partition;
    this.#wanted = wanted;
    this.#from = endOffset;
  }

  /** A record of rules was read; `timestamp` is its append time. */
  seen(timestamp: number): void {
    this.#appendedAt = timestamp;
  }

  /** `position` is the next offset to read, `inForce` the rules there. True when it wrote. */
  async ensure(position: number, inForce: RuleSet | null, now: number): Promise<boolean> {
    if (position < this.#from) return false;
    const wanted = this.#wanted();
    const version = wanted?.version ?? '';
    const isOld = wanted !== null && now - this.#appendedAt >= this.#refreshMs;
    if (version === (inForce?.version ?? '') && !isOld) return false;
    const value = this.#serde.encode('Rules', { version, text: wanted?.text ?? '' });
    const [offset] = await this.#log.append(topics.events, [
      { partition: this.#partition, key: null, value },
    ]);
    this.#from = offset! + 1;
    return true;
  }
}
