import { memberOffsets, type CloseReason, type Correlation } from '@logloom/schemas';
import { addMember, fromDocument, openGroup, toDocument, type Group, type MemberEvent } from './group.ts';
import { LinkedQueue } from './linked-queue.ts';

/** When a group closes. Times in milliseconds of the log's clock. */
export interface CorrelateOptions {
  idleMs: number;
  maxMs: number;
  graceMs: number;
  maxEvents: number;
  /** Open groups; one more closes the one that was idle longest. */
  maxGroups: number;
}

/** A record of logs.events; `event` is null for a tick and for an event without a correlation id. */
export interface InputRecord {
  offset: number;
  /** Its append time: the log's clock, in milliseconds. */
  timestamp: number;
  event: MemberEvent | null;
}

/**
 * Groups the events of one partition. The state is a function of the records applied, and of nothing else: no clock, no I/O, so the
 * same log always gives the same documents.
 *
 * Restart. `written` are the documents that the output partition already holds for the records to come. They say which records
 * are spoken for, so these are skipped; the others rebuild the groups that were open. Up to the last written close nothing closes
 * anew: every close until there is in the output. From there on, everything is as if there had been no restart.
 */
export class Correlate {
  readonly #partition: number;
  readonly #options: CorrelateOptions;
  /** Open, or closed and in its grace time. */
  readonly #groups = new Map<string, Group>();
  // The same groups by first offset (for the low-water mark), and those that wait for a deadline, the next one first.
  readonly #byCreation = new LinkedQueue<Group>();
  readonly #byActivity = new LinkedQueue<Group>();
  readonly #byAge = new LinkedQueue<Group>();
  readonly #byGrace = new LinkedQueue<Group>();
  #clock = 0;

  readonly #written: readonly Correlation[];
  #nextWritten = 0;
  readonly #covered: Set<number>;
  readonly #resumeOffset: number;
  readonly #resumeSequence: number;

  constructor(partition: number, options: CorrelateOptions, written: readonly Correlation[] = []) {
    this.#partition = partition;
    this.#options = options;
    this.#written = written;
    this.#covered = new Set(written.flatMap(memberOffsets));
    this.#resumeOffset = written.at(-1)?.closeOffset ?? -1;
    this.#resumeSequence = written.at(-1)?.closeSequence ?? -1;
  }

  /** Open groups. */
  get openGroups(): number {
    return this.#byActivity.size;
  }

  /** The first offset that is still needed after a restart; null when none is. */
  get lowWaterMark(): number | null {
    // A written close that is not reached yet may leave a group in its grace time: until then everything is needed.
    if (this.#nextWritten < this.#written.length) return 0;
    return this.#byCreation.first?.value.firstOffset ?? null;
  }

  /** The log time (ms) at which a group closes, or leaves its grace time, if nothing else happens; null when none waits. */
  get nextDeadline(): number | null {
    const { idleMs, maxMs, graceMs } = this.#options;
    const idle = this.#byActivity.first;
    const age = this.#byAge.first;
    const grace = this.#byGrace.first;
    const deadline = Math.min(
      idle === null ? Infinity : idle.value.activeAt + idleMs,
      age === null ? Infinity : age.value.openedAt + maxMs,
      grace === null ? Infinity : grace.value.firstClosedAt! + graceMs,
    );
    return deadline === Infinity ? null : deadline;
  }

  /** Applies one record, in offset order, and pushes the documents that it closes onto `output`. */
  apply(record: InputRecord, output: Correlation[]): void {
    // Clocks of two brokers may differ; the log's clock never falls.
    if (record.timestamp > this.#clock) this.#clock = record.timestamp;
    const firstOutput = output.length - (record.offset === this.#resumeOffset ? this.#resumeSequence + 1 : 0);
    const close = (group: Group, reason: CloseReason): void => {
      output.push(this.#close(group, reason, record.offset, output.length - firstOutput));
    };

    this.#closeAsWritten(record.offset);
    if (record.offset >= this.#resumeOffset) this.#expire(close);
    this.#endGrace();
    if (record.event !== null && !this.#covered.delete(record.offset))
      this.#add(record.event, record.offset, close);
  }

  #add(event: MemberEvent, offset: number, close: (group: Group, reason: CloseReason) => void): void {
    const id = event.correlationId!;
    let group = this.#groups.get(id);
    if (group === undefined) {
      if (this.#byActivity.size >= this.#options.maxGroups) close(this.#byActivity.first!.value, 'evicted');
      group = openGroup(event, id, offset);
      this.#groups.set(id, group);
      group.created = this.#byCreation.push(group);
    }
    if (group.idle === null) {
      // New, or late: an event in the grace time opens the group again.
      group.openedAt = this.#clock;
      group.idle = this.#byActivity.push(group);
      group.age = this.#byAge.push(group);
    } else {
      this.#byActivity.moveToEnd(group.idle);
    }
    group.activeAt = this.#clock;
    addMember(group, event, offset);
    if (group.offsets.length >= this.#options.maxEvents) close(group, 'size');
  }

  #expire(close: (group: Group, reason: CloseReason) => void): void {
    const { idleMs, maxMs } = this.#options;
    for (let node = this.#byActivity.first; node !== null && node.value.activeAt + idleMs <= this.#clock;) {
      close(node.value, 'idle');
      node = this.#byActivity.first;
    }
    for (let node = this.#byAge.first; node !== null && node.value.openedAt + maxMs <= this.#clock;) {
      close(node.value, 'max');
      node = this.#byAge.first;
    }
  }

  #endGrace(): void {
    for (
      let node = this.#byGrace.first;
      node !== null && node.value.firstClosedAt! + this.#options.graceMs <= this.#clock;
    ) {
      const group = node.value;
      this.#byGrace.remove(node);
      group.grace = null;
      if (group.idle === null) this.#forget(group);
      node = this.#byGrace.first;
    }
  }

  #close(group: Group, reason: CloseReason, offset: number, sequence: number): Correlation {
    this.#byActivity.remove(group.idle!);
    this.#byAge.remove(group.age!);
    group.idle = null;
    group.age = null;
    group.revision++;
    const first = group.firstClosedAt === null;
    if (first) group.firstClosedAt = this.#clock;
    if (isFinal(reason)) this.#forget(group);
    else if (first) group.grace = this.#byGrace.push(group);
    else if (group.grace === null) this.#forget(group);
    return toDocument(group, this.#partition, reason, offset, sequence);
  }

  /** Takes over the closes that the output holds, up to the record at `offset`. */
  #closeAsWritten(offset: number): void {
    for (; this.#nextWritten < this.#written.length; this.#nextWritten++) {
      const document = this.#written[this.#nextWritten]!;
      if (document.closeOffset > offset) return;
      const before = this.#groups.get(document.correlationId);
      if (before !== undefined) this.#forget(before);
      if (isFinal(document.closeReason)) continue;
      const group = fromDocument(document);
      this.#groups.set(group.correlationId, group);
      group.created = this.#byCreation.insertSorted(group, (other) => other.firstOffset > group.firstOffset);
      group.grace = this.#byGrace.insertSorted(group, (other) => other.firstClosedAt! > group.firstClosedAt!);
    }
  }

  #forget(group: Group): void {
    this.#groups.delete(group.correlationId);
    if (group.created !== null) this.#byCreation.remove(group.created);
    if (group.idle !== null) this.#byActivity.remove(group.idle);
    if (group.age !== null) this.#byAge.remove(group.age);
    if (group.grace !== null) this.#byGrace.remove(group.grace);
    group.created = group.idle = group.age = group.grace = null;
  }
}

/** A group that closed for want of room takes no late events: the next one with its id starts a document of its own. */
function isFinal(reason: CloseReason): boolean {
  return reason === 'size' || reason === 'evicted';
}
