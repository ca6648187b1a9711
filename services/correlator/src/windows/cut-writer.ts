import type { EventLog, NewRecord } from '@logloom/event-log';
import type { RuleSet } from '@logloom/rules';
import { encodeContributions, type Contribution } from '@logloom/rules/windows';
import type { Serde } from '@logloom/schema-registry';
import { topics, type WindowCut } from '@logloom/schemas';
import { partOfKey } from './part-of-key.ts';

/** A part of one partition of logs.events. */
export interface CutRange {
  from: number;
  to: number;
  sinceMs: number;
  clockMs: number;
}

/** Contributions in one record; it stays well below the megabyte that Kafka accepts. */
const maxRecordChars = 400_000;

/**
 * Writes what each part of an input adds into logs.windows, to the partition of each key's alert. Where a part ends follows from the log, and so
 * does all that a record says: whoever writes it again, writes the same.
 */
export class CutWriter {
  readonly #log: EventLog;
  readonly #serde: Serde;
  readonly #epoch: string;
  readonly #input: number;
  readonly #partitions: number;
  /** The version whose text all readers have. */
  #known: string | undefined;

  constructor(log: EventLog, serde: Serde, epoch: string, input: number, partitions: number) {
    this.#log = log;
    this.#serde = serde;
    this.#epoch = epoch;
    this.#input = input;
    this.#partitions = partitions;
  }

  /** Resolves when all of it is durable. */
  async write(
    range: CutRange,
    rules: RuleSet | null,
    contributions: readonly Contribution[],
    overLimit: readonly string[],
  ): Promise<void> {
    const byPartition = Array.from({ length: this.#partitions }, (): Contribution[] => []);
    const fields = new Map(rules?.windows.map((rule) => [rule.id, rule]));
    for (const each of contributions) {
      const rule = fields.get(each.rule)!;
      const key = Object.fromEntries(rule.by.map(({ name }, i) => [name, each.key[i]!]));
      byPartition[partOfKey(rule.name, key, this.#partitions)]!.push(each);
    }
    const version = rules?.version ?? '';
    const rulesText = version === '' || version === this.#known ? null : rules!.text;
    const records = byPartition.flatMap((own, partition): NewRecord[] => {
      const pieces = inPieces(own);
      return pieces.map((text, piece) => {
        const cut: WindowCut = {
          epoch: this.#epoch,
          input: this.#input,
          ...range,
          piece,
          isLast: piece === pieces.length - 1,
          rulesVersion: version,
          rulesText: piece === 0 ? rulesText : null,
          overLimit: [...overLimit],
          contributions: text,
        };
        return { partition, key: null, value: this.#serde.encode('WindowCut', cut) };
      });
    });
    await this.#log.append(topics.windows, records);
    this.#known = version;
  }
}

/** As JSON texts, none of them too long unless one contribution is; at least one. */
function inPieces(contributions: readonly Contribution[]): string[] {
  const whole = encodeContributions(contributions);
  if (whole.length <= maxRecordChars || contributions.length <= 1) return [whole];
  const half = Math.ceil(contributions.length / 2);
  return [...inPieces(contributions.slice(0, half)), ...inPieces(contributions.slice(half))];
}
