import type { EventLog } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import type { Serde } from '@logloom/schema-registry';
import { topics, type Rules } from '@logloom/schemas';
import type { CorrelateOptions } from '../correlate.ts';
import { tryDecode } from '../try-decode.ts';
import { optionsOfRecord, sameOptions, toRecord } from './options-in-log.ts';

const hourMs = 3_600_000;

/** How often (ms) the rules and options in force are written again, so that retention does not remove the record that a restart needs. */
export function refreshInterval(retentionMs: number | undefined): number {
  return Math.min(hourMs, Math.floor((retentionMs ?? Infinity) / 4));
}

/** Rules of records are parsed once: every partition gets the same text. */
const parsed = new Map<string, RuleSet | undefined>();
const maxParsed = 16;

/** The rules of a record: null for none, undefined if this release cannot read them. */
export async function rulesOfRecord({
  version,
  text,
}: Pick<Rules, 'version' | 'text'>): Promise<RuleSet | null | undefined> {
  if (text === '') return null;
  if (!parsed.has(version) || parsed.get(version)?.text !== text) {
    const { parseRules } = await import('@logloom/rules/rules-file');
    const result = parseRules(text);
    if (parsed.size >= maxParsed) parsed.delete(parsed.keys().next().value!);
    parsed.set(version, result.ok ? result.rules : undefined);
  }
  return parsed.get(version);
}

/** The rules and options in force from a record on. */
export interface InForce {
  /** null: none; undefined: rules that this release cannot read, so that nothing changes. */
  rules: RuleSet | null | undefined;
  /** undefined: as before. */
  options: CorrelateOptions | undefined;
}

/** The rules and options that a record puts into force. Throws CorrelatorError `newer-algorithm`. */
export async function inForceFrom(
  record: Rules,
  at: { partition: number; offset: number },
): Promise<InForce> {
  return { rules: await rulesOfRecord(record), options: optionsOfRecord(record, at) };
}

/** What the record at this offset puts into force, and its append time (ms); undefined if it is gone, or sets nothing. */
export async function readInForce(
  log: EventLog,
  serde: Serde,
  partition: number,
  offset: number,
): Promise<(InForce & { timestampMs: number }) | undefined> {
  const [record] = await log.read(topics.events, partition, offset, 1);
  if (record?.offset !== offset) return undefined;
  await serde.load([record.value]);
  const decoded = tryDecode(serde, record.value);
  if (decoded?.name !== 'Rules') return undefined;
  return { ...(await inForceFrom(decoded.value, record)), timestampMs: record.timestampMs };
}

/** The rules and options that every partition should have. */
export interface Wanted {
  /** null for none. */
  rules: () => RuleSet | null;
  options: CorrelateOptions;
}

/**
 * Keeps the wanted rules and options in force on a partition: writes them if the log has others. It checks only once everything is read
 * that existed when the partition was opened, so that a restart does not write them again.
 */
export class RulesWriter {
  readonly #log: EventLog;
  readonly #serde: Serde;
  readonly #partition: number;
  readonly #wanted: Wanted;
  readonly #refreshMs: number;
  /** Nothing is written before this offset was reached. */
  #from: number;
  /** When the last record of rules was appended, ms. */
  #appendedAt = 0;

  constructor(
    log: EventLog,
    serde: Serde,
    partition: number,
    wanted: Wanted,
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

  /** `position` is the next offset to read; the others are in force there. Returns true if it wrote. */
  async ensure(
    position: number,
    { rules, options }: { rules: RuleSet | null; options: CorrelateOptions },
    now: number,
  ): Promise<boolean> {
    if (position < this.#from) return false;
    // Also if it was appended by a clock that was ahead.
    const isOld = Math.abs(now - this.#appendedAt) >= this.#refreshMs;
    const isSame =
      (this.#wanted.rules()?.version ?? '') === (rules?.version ?? '') &&
      sameOptions(this.#wanted.options, options);
    if (isSame && !isOld) return false;
    await this.write();
    return true;
  }

  /** Writes the wanted rules and options at the end of the log; returns the record's offset. */
  async write(): Promise<number> {
    const rules = this.#wanted.rules();
    const value = this.#serde.encode('Rules', {
      version: rules?.version ?? '',
      text: rules?.text ?? '',
      options: toRecord(this.#wanted.options),
    });
    const [offset] = await this.#log.append(topics.events, [
      { partition: this.#partition, key: null, value },
    ]);
    this.#from = offset! + 1;
    return offset!;
  }
}
