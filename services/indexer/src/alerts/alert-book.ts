import { alertFingerprint, type Acknowledgement, type Alert, type Silence } from '@logloom/schemas';
import {
  applyToPart,
  continuedRecord,
  defaultResolveAfterMs,
  resolvedRecord,
  type AlertPart,
} from './alert-part.ts';
import { type AcknowledgedBy, type AlertState } from './alert-state.ts';
import { bytesOfParts, joinParts } from './join-parts.ts';
import { SilenceBook, type SilenceInForce } from './silence-book.ts';

/** A record of logs.alerts that the book understands. */
export type BookRecord = {
  partition: number;
  offset: number;
  /** The append time in ms since 1970. */
  timestampMs: number;
  /** The epoch of the log that it is about. */
  epoch: string | undefined;
} & (
  | { name: 'Alert'; value: Alert }
  | { name: 'Silence'; value: Silence }
  | { name: 'Acknowledgement'; value: Acknowledgement }
);

/** A change that receivers have to hear of; also of alerts that are silenced, so that they know. */
export interface AlertChange {
  /** state: it fires or is resolved; silences, acknowledged: these have changed while it fires. */
  kind: 'state' | 'silences' | 'acknowledged';
  alert: AlertState;
}

/** A record that the owner of the book has to append. */
export interface OwnRecord {
  partition: number;
  epoch: string | undefined;
  alert: Alert;
}

interface Entry {
  parts: Map<number, AlertPart>;
  acknowledged: AcknowledgedBy | null;
  silencedBy: readonly string[];
  revision: number;
  bytes: number;
}

export interface AlertBookOptions {
  /** How much memory the alerts may take, in bytes. Beyond it the resolved ones go, and then new ones are not taken. */
  limitBytes: number;
  /** How long resolved alerts stay, ms; default a day. */
  keepResolvedMs?: number;
  /** Called for each alert that is not taken. */
  onDropped?: () => void;
}

const dayMs = 86_400_000;
const pruneEveryMs = 60_000;
/** By how much (ms) the append times of two partitions, and this machine's clock, may differ. */
const clockDifferenceMs = 60_000;

/**
 * The alerts as they are, by fingerprint, and the silences: a function of the records of logs.alerts, each partition in offset order, and
 * of the time. It reads and writes nothing.
 */
export class AlertBook {
  readonly #entries = new Map<string, Entry>();
  readonly #silences = new SilenceBook();
  readonly #limitBytes: number;
  readonly #keepResolvedMs: number;
  readonly #onDropped: () => void;
  #bytes = 0;
  #nowMs = 0;
  #pruneAtMs = 0;
  #dropped = 0;
  #isFull = false;
  /** False: surely none. */
  #hasResolved = false;

  constructor({ limitBytes, keepResolvedMs = dayMs, onDropped = () => {} }: AlertBookOptions) {
    this.#limitBytes = limitBytes;
    this.#keepResolvedMs = keepResolvedMs;
    this.#onDropped = onDropped;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many records raised an alert for which there was no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the last alert that was new had no room, and nothing has been forgotten since. */
  get isFull(): boolean {
    return this.#isFull;
  }

  apply(record: BookRecord): AlertChange[] {
    const changes = this.#advance(record.timestampMs);
    switch (record.name) {
      case 'Alert':
        changes.push(...this.#applyAlert(record.value, record));
        break;
      case 'Silence':
        this.#silences.set(record.value, this.#nowMs);
        changes.push(...this.#judgeAll(record.timestampMs));
        break;
      case 'Acknowledgement':
        changes.push(...this.#acknowledge(record.value, record.timestampMs));
    }
    return changes;
  }

  /**
   * It is that time, ms since 1970, by the machine's clock: silences begin and end, and what is long over is forgotten. If records were
   * appended by a clock that was ahead, what they ended too early begins again.
   */
  tick(nowMs: number): AlertChange[] {
    if (this.#nowMs - nowMs > clockDifferenceMs) this.#nowMs = this.#pruneAtMs = nowMs;
    return this.#advance(nowMs);
  }

  #advance(timeMs: number): AlertChange[] {
    // The clocks of two partitions may differ a little.
    this.#nowMs = Math.max(this.#nowMs, timeMs);
    if (this.#nowMs >= this.#pruneAtMs) {
      this.#pruneAtMs = this.#nowMs + pruneEveryMs;
      this.#silences.prune(this.#nowMs);
      const before = this.#bytes;
      for (const [fingerprint, { parts }] of this.#entries)
        if (
          [...parts.values()].every(
            ({ state, endsAt }) => state === 'resolved' && endsAt! < this.#nowMs - this.#keepResolvedMs,
          )
        )
          this.#forget(fingerprint);
      if (this.#bytes < before) this.#isFull = false;
    }
    const changedAtMs = this.#silences.advance(this.#nowMs);
    return changedAtMs === undefined ? [] : this.#judgeAll(changedAtMs);
  }

  get(fingerprint: string): AlertState | undefined {
    const entry = this.#entries.get(fingerprint);
    return entry && this.#stateOf(fingerprint, entry);
  }

  /** In no particular order. */
  alerts(): AlertState[] {
    return [...this.#entries].map(([fingerprint, entry]) => this.#stateOf(fingerprint, entry));
  }

  /** Those that were not forgotten yet, with their state at the time of the last tick. */
  silences(): SilenceInForce[] {
    return this.#silences.list(this.#nowMs);
  }

  /** The records that end alerts of rules over one request, for which the time without a match is over. */
  due(): OwnRecord[] {
    const due: OwnRecord[] = [];
    for (const [fingerprint, { parts }] of this.#entries) {
      const open = [...parts].filter(([, { state }]) => state === 'firing');
      const first = open[0]?.[1];
      if (first === undefined || first.latest.scope !== 'request') continue;
      const { latest } = open.reduce((a, [, b]) => (b.raisedMs > a.raisedMs ? b : a), first);
      const resolveAfterMs = latest.resolveAfterMs ?? defaultResolveAfterMs;
      if (this.#nowMs < Math.max(...open.map(([, { raisedMs }]) => raisedMs)) + resolveAfterMs) continue;
      const whole = joinParts(new Map(open));
      const endsAt = whole.lastAt + resolveAfterMs;
      for (const [partition, part] of open)
        due.push({
          partition,
          epoch: part.epoch,
          alert: resolvedRecord(part, fingerprint, { ...whole, endsAt }),
        });
    }
    return due;
  }

  /** The records that repeat what still goes on, so that retention may remove those before `beforeMs`. */
  continued(beforeMs: number): OwnRecord[] {
    const records: OwnRecord[] = [];
    for (const [fingerprint, { parts }] of this.#entries)
      for (const [partition, part] of parts)
        if (part.state !== 'resolved' && part.startedMs < beforeMs)
          records.push({
            partition,
            epoch: part.epoch,
            alert: continuedRecord(part, fingerprint, part.startsAt),
          });
    return records;
  }

  /** Who takes care of the alerts that are not over. */
  acknowledgements(): Acknowledgement[] {
    return this.alerts().flatMap(({ fingerprint, rule, state, startsAt, acknowledged }) =>
      acknowledged === null || state === 'resolved' ? [] : [{ fingerprint, rule, startsAt, ...acknowledged }],
    );
  }

  #applyAlert(alert: Alert, { partition, offset, timestampMs, epoch }: BookRecord): AlertChange[] {
    const fingerprint =
      alert.fingerprint === '' ? alertFingerprint(alert.rule, alert.key) : alert.fingerprint;
    const known = this.#entries.get(fingerprint);
    const before = known && this.#stateOf(fingerprint, known);
    const part = known?.parts.get(partition);
    const next = applyToPart(part, { alert, offset, appendedMs: timestampMs, epoch });
    if (next === part) return [];
    const entry = known ?? newEntry();
    if (next === undefined) entry.parts.delete(partition);
    else entry.parts.set(partition, next);
    if (entry.parts.size === 0) {
      this.#forget(fingerprint);
      return [];
    }
    if (!this.#keep(fingerprint, entry)) return [];
    const wasOn = before !== undefined && before.state !== 'resolved';
    if (!wasOn && next!.state !== 'resolved') {
      entry.acknowledged = null;
    }
    entry.silencedBy = this.#silences.matching(this.#stateOf(fingerprint, entry).labels);
    const after = this.#stateOf(fingerprint, entry);
    if (after.state === 'resolved') this.#hasResolved = true;
    if (after.state === (before?.state ?? 'resolved') || after.state === 'pending') return [];
    return [this.#changed('state', fingerprint, entry, timestampMs)];
  }

  #acknowledge(record: Acknowledgement, appendedMs: number): AlertChange[] {
    const { fingerprint, author, note, at } = record;
    const entry = this.#entries.get(fingerprint);
    if (entry === undefined) return [];
    const open = [...entry.parts.values()].filter(({ state }) => state !== 'resolved');
    // It was written for an earlier alert with the same fingerprint.
    if (open.length === 0 || appendedMs < Math.min(...open.map(({ startedMs }) => startedMs))) return [];
    const known = entry.acknowledged;
    if (known?.author === author && known.note === note && known.at === at) return [];
    entry.acknowledged = { author, note, at };
    this.#keep(fingerprint, entry);
    return [this.#changed('acknowledged', fingerprint, entry, appendedMs)];
  }

  /** Compares all alerts with the silences that are in force now. */
  #judgeAll(atMs: number): AlertChange[] {
    const changes: AlertChange[] = [];
    for (const [fingerprint, entry] of this.#entries) {
      const { labels, state } = this.#stateOf(fingerprint, entry);
      const silencedBy = this.#silences.matching(labels);
      if (silencedBy.join() === entry.silencedBy.join()) continue;
      entry.silencedBy = silencedBy;
      if (state === 'firing') changes.push(this.#changed('silences', fingerprint, entry, atMs));
    }
    return changes;
  }

  #changed(kind: AlertChange['kind'], fingerprint: string, entry: Entry, atMs: number): AlertChange {
    entry.revision = Math.max(entry.revision + 1, atMs);
    return { kind, alert: this.#stateOf(fingerprint, entry) };
  }

  #stateOf(fingerprint: string, { parts, acknowledged, silencedBy, revision }: Entry): AlertState {
    return { fingerprint, ...joinParts(parts), silencedBy, acknowledged, revision };
  }

  /** Whether there is room for it. */
  #keep(fingerprint: string, entry: Entry): boolean {
    const bytes = bytesOfParts(entry.parts.values()) + 2 * (entry.acknowledged?.note.length ?? 0);
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    const isNew = !this.#entries.has(fingerprint);
    this.#entries.set(fingerprint, entry);
    // A flood of new alerts must not look for them again and again.
    if (this.#bytes > this.#limitBytes && this.#hasResolved) this.#forgetResolved();
    const isInLimit = this.#bytes <= this.#limitBytes;
    if (isNew && isInLimit) this.#isFull = false;
    if (!isNew || isInLimit) return true;
    this.#forget(fingerprint);
    this.#dropped++;
    this.#isFull = true;
    this.#onDropped();
    return false;
  }

  /** Forgets resolved alerts, the oldest first, until an eighth of the memory is free. */
  #forgetResolved(): void {
    const resolved = [...this.#entries]
      .map(([fingerprint, { parts }]) => ({ fingerprint, ...joinParts(parts) }))
      .filter(({ state }) => state === 'resolved')
      .sort((a, b) => a.endsAt! - b.endsAt!);
    for (const { fingerprint } of resolved) {
      if (this.#bytes <= this.#limitBytes * (7 / 8)) return;
      this.#forget(fingerprint);
    }
    this.#hasResolved = false;
  }

  #forget(fingerprint: string): void {
    this.#bytes -= this.#entries.get(fingerprint)?.bytes ?? 0;
    this.#entries.delete(fingerprint);
  }
}

function newEntry(): Entry {
  return { parts: new Map(), acknowledged: null, silencedBy: [], revision: 0, bytes: 0 };
}
