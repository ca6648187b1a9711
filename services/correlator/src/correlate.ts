import { FilterSubject } from '@logloom/filter';
import type { Rule, RuleSet } from '@logloom/rules';
import {
  alertOf,
  placeEvent,
  type Alert,
  type CloseReason,
  type Correlation,
  type LogEvent,
} from '@logloom/schemas';
import { isFinal, WrittenDocuments, type ClosePosition } from './recovery/written-documents.ts';
import type { CloseRequest } from './session/group-rules.ts';
import { addMember, openGroup, toDocument, type Group, type MemberEvent } from './session/group.ts';
import { LinkedQueue } from './session/linked-queue.ts';
import { LogClock, type ClockState } from './session/log-clock.ts';
import { Waits } from './session/waits.ts';

/** When a group closes. Times in milliseconds of the log's clock. */
export interface CorrelateOptions {
  idleMs: number;
  maxMs: number;
  graceMs: number;
  maxEvents: number;
  /** Open groups; one more closes the one that was idle longest. */
  maxGroups: number;
  /**
   * What all groups may take in memory, by estimate. Past it the next event closes open ones, those idle longest first. Past a half a group that
   * closes takes no late events, so that the groups in their grace time never fill more than the half.
   */
  memoryBytes: number;
}

/** Takes documents or alerts as they come. */
export interface Sink<T> {
  push: (value: T) => unknown;
}

const nowhere: Sink<unknown> = { push: () => {} };

/** A record of logs.events; `event` is null for a tick, for rules, and for an event without a correlation id. */
export interface InputRecord {
  offset: number;
  /** Its append time: the log's clock, in milliseconds. */
  timestamp: number;
  event: MemberEvent | null;
  /** The rules in force from here on, where the record sets them; null for none. */
  rules?: RuleSet | null;
  /** The options in force from here on, for every group, where the record sets them. */
  options?: CorrelateOptions;
}

/** Where the state begins; by default at the start of the log. */
export interface StartPoint {
  /** The log's, for the documents' ids. */
  epoch: string;
  /** The rules in force there. */
  rules: RuleSet | null;
  /** The log's clock there. */
  clock: ClockState | undefined;
  /** What the output holds for the records to come. */
  written: WrittenDocuments;
}

/**
 * Groups the events of one partition. The state is a function of the records applied, and of nothing else: no clock, no I/O, so the
 * same log always gives the same documents.
 *
 * Restart. The state begins anew at the start point, where no group is open that is not finished in the output. Up to the last
 * written close groups close as the output says, which also knows what is gone (evictions); from there on, everything is as if there
 * had been no restart.
 */
export class Correlate {
  readonly #place: { epoch: string; partition: number };
  readonly #written: WrittenDocuments;
  #rules: RuleSet | null;
  #options: CorrelateOptions;
  /** Open, or closed and in its grace time, or waiting for what a rule says. */
  readonly #groups = new Map<string, Group>();
  // The same groups by first offset (for the low-water mark), and those that wait for a deadline, the next one first.
  readonly #byCreation = new LinkedQueue<Group>();
  readonly #byActivity = new LinkedQueue<Group>();
  readonly #byAge = new LinkedQueue<Group>();
  readonly #byGrace = new LinkedQueue<Group>();
  readonly #waits = new Waits<Group>();
  #bytes = 0;
  readonly #time: LogClock;
  #lostFrom = Infinity;

  // The record in work.
  #offset = -1;
  #sequence = 0;
  #output: Sink<Correlation> = nowhere;
  #alerts: Sink<Alert> = nowhere;

  /** `options` are those in force at the start. */
  constructor(partition: number, options: CorrelateOptions, start: Partial<StartPoint> = {}) {
    const { epoch = 'log', rules = null, written = new WrittenDocuments(), clock } = start;
    this.#place = { epoch, partition };
    this.#time = new LogClock(clock);
    this.#options = options;
    this.#rules = rules;
    this.#written = written;
  }

  /** Open groups. */
  get openGroups(): number {
    return this.#byActivity.size;
  }

  /** What all groups take in memory, by estimate. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Events that a rule waits for. */
  get openWaits(): number {
    return this.#waits.size;
  }

  /** The rules in force now. */
  get rules(): RuleSet | null {
    return this.#rules;
  }

  /** The log's clock: the time by which groups close. */
  get time(): Pick<LogClock, 'now' | 'mark' | 'state' | 'setbacks'> {
    return this.#time;
  }

  /** The options in force now. */
  get options(): CorrelateOptions {
    return this.#options;
  }

  /** The first offset that is still needed after a restart; null when none is. */
  get lowWaterMark(): number | null {
    // A written close that is not reached yet may leave a group in its grace time: until then everything is needed.
    if (!this.#written.isDone) return 0;
    const first = this.#byCreation.first?.value.firstOffset ?? null;
    // It began in an end that the log has lost.
    return first !== null && first > this.#offset ? Math.min(first, this.#lostFrom) : first;
  }

  /**
   * The log lost its end, from this offset on: the next record has it. Groups stay as they are; \`last\` is the last close that is
   * written.
   */
  endLost(from: number, last: ClosePosition): void {
    this.#written.endLost(from, last);
    this.#lostFrom = from;
    this.#offset = from - 1;
  }

  /** The log time (ms) at which something is due if nothing else happens; null when nothing waits. */
  get nextDeadline(): number | null {
    const { idleMs, maxMs, graceMs } = this.#options;
    const idle = this.#byActivity.first;
    const age = this.#byAge.first;
    const grace = this.#byGrace.first;
    const deadline = Math.min(
      idle === null ? Infinity : idle.value.activeAt + idleMs,
      age === null ? Infinity : age.value.openedAt + maxMs,
      grace === null ? Infinity : grace.value.firstClosedAt! + graceMs,
      this.#waits.nextDeadline ?? Infinity,
    );
    return deadline === Infinity ? null : deadline;
  }

  /**
   * Applies one record, in offset order. Pushes the documents that it closes onto `output`, and onto `alerts` those of its documents,
   * also of the ones that are written already: whoever keeps alerts knows by their position which he has.
   */
  apply(record: InputRecord, output: Sink<Correlation>, alerts: Sink<Alert> = nowhere): void {
    this.#time.advance(record.timestamp);
    this.#offset = record.offset;
    this.#sequence = this.#written.closesAt(record.offset);
    this.#output = output;
    this.#alerts = alerts;
    if (record.rules !== undefined) this.#rules = record.rules;
    if (record.options !== undefined) this.#options = record.options;

    this.#closeAsWritten(false);
    this.#runOut();
    if (!this.#written.isBefore(record.offset)) this.#expire();
    this.#endGrace();
    if (record.event !== null) {
      this.#add(record.event, this.#written.covers(record.offset));
      this.#closeAsWritten(true);
    }
  }

  /** `isWritten`: the event is in a written document, which closes its group when its time comes. */
  #add(event: MemberEvent, isWritten: boolean): void {
    const id = event.correlationId!;
    const mayClose = !isWritten && !this.#written.isBefore(this.#offset);
    if (mayClose) this.#makeRoom(id);
    let group = this.#groups.get(id);
    if (group !== undefined && this.#written.begins(this.#offset)) {
      this.#setAside(group);
      group = undefined;
    }
    if (group === undefined) {
      group = openGroup(event, id, this.#offset, this.#rules);
      this.#groups.set(id, group);
      group.created = this.#byCreation.push(group);
      this.#bytes += bytesOf(group);
    }
    if (group.idle === null) {
      // New, or late: an event in the grace time opens the group again.
      group.openedAt = this.#time.now;
      group.idle = this.#byActivity.push(group);
      group.age = this.#byAge.push(group);
    } else {
      this.#byActivity.moveToEnd(group.idle);
    }
    group.activeAt = this.#time.now;
    const before = bytesOf(group);
    addMember(group, event, this.#offset);
    const close = group.rules === null ? false : this.#observe(group, event);
    this.#bytes += bytesOf(group) - before;
    if (!mayClose) return;
    if (close !== false) this.#close(group, 'rule', close === 'final');
    else if (group.offsets.length >= this.#options.maxEvents) this.#close(group, 'size');
  }

  /** Closes the groups that were idle longest while there are too many for an event of this id, or they take too much memory. */
  #makeRoom(id: string): void {
    const { maxGroups, memoryBytes } = this.#options;
    for (let oldest = this.#byActivity.first; oldest !== null; oldest = this.#byActivity.first) {
      const opens = (this.#groups.get(id)?.idle ?? null) === null;
      if (this.#bytes <= memoryBytes && !(opens && this.#byActivity.size >= maxGroups)) return;
      this.#close(oldest.value, 'evicted');
    }
  }

  #observe(group: Group, event: MemberEvent): CloseRequest {
    const { epoch, partition } = this.#place;
    const subject = new FilterSubject(placeEvent(event as LogEvent, epoch, partition, this.#offset));
    return group.rules!.observe(subject, this.#waits, (rule, sequence, since) => {
      const withinMs = sequence.withinMicros / 1000;
      return this.#waits.add({ owner: group, rule, since, deadline: this.#time.now + withinMs }, withinMs);
    });
  }

  /** What rules waited for and did not come: an open group is told; one that is closed gets a revision. */
  #runOut(): void {
    const mayClose = !this.#written.isBefore(this.#offset);
    for (
      let wait = this.#waits.ranOut(this.#time.now);
      wait !== null;
      wait = this.#waits.ranOut(this.#time.now)
    ) {
      const { owner: group, rule } = wait;
      group.rules!.ranOut(rule, this.#waits);
      if (!mayClose) continue;
      if (group.idle === null) this.#emit(group, 'rule', false);
      else if (rule.close !== false) this.#close(group, 'rule', rule.close === 'final');
      this.#forgetIfDone(group);
    }
  }

  #expire(): void {
    const { idleMs, maxMs } = this.#options;
    for (
      let node = this.#byActivity.first;
      node !== null && node.value.activeAt + idleMs <= this.#time.now;
    ) {
      this.#close(node.value, 'idle');
      node = this.#byActivity.first;
    }
    for (let node = this.#byAge.first; node !== null && node.value.openedAt + maxMs <= this.#time.now;) {
      this.#close(node.value, 'max');
      node = this.#byAge.first;
    }
  }

  #endGrace(): void {
    for (
      let node = this.#byGrace.first;
      node !== null && node.value.firstClosedAt! + this.#options.graceMs <= this.#time.now;
    ) {
      const group = node.value;
      this.#byGrace.remove(node);
      group.grace = null;
      this.#forgetIfDone(group);
      node = this.#byGrace.first;
    }
  }

  #close(group: Group, reason: CloseReason, forGood = isFinal(reason)): void {
    const final = forGood || this.#bytes > this.#options.memoryBytes / 2;
    this.#leaveOpen(group, final, this.#time.now);
    this.#emit(group, reason, final);
    if (final) this.#forget(group);
    else this.#forgetIfDone(group);
  }

  /** Moves an open group among the closed ones. */
  #leaveOpen(group: Group, final: boolean, closedAt: number): void {
    this.#byActivity.remove(group.idle!);
    this.#byAge.remove(group.age!);
    group.idle = null;
    group.age = null;
    if (group.firstClosedAt !== null) return;
    group.firstClosedAt = closedAt;
    if (!final) group.grace = this.#byGrace.push(group);
  }

  #emit(group: Group, reason: CloseReason, final: boolean): void {
    group.revision++;
    const close = { reason, final, offset: this.#offset, sequence: this.#sequence++, clock: this.#time.mark };
    const document = toDocument(group, this.#place, close);
    this.#output.push(document);
    this.#pushAlerts(group, document);
    if (group.rules !== null) group.rules.announced = group.rules.matched.length;
  }

  #pushAlerts({ rules }: Group, document: Correlation): void {
    document.alerts.forEach((name, index) => {
      const rule = rules?.set.rules.find((each) => each.name === name);
      if (rule !== undefined) this.#alerts.push(alertOf(document, index, alertRule(rule)));
    });
  }

  /**
   * Takes over the closes that the output holds, up to the record in work. Those by the record's own event come after it was added.
   */
  #closeAsWritten(byEvent: boolean): void {
    for (
      let document = this.#written.next(this.#offset, byEvent);
      document !== undefined;
      document = this.#written.next(this.#offset, byEvent)
    ) {
      const group = this.#groups.get(document.correlationId);
      if (group === undefined) continue;
      if (group.firstOffset !== document.firstOffset) {
        // Its first events lie before the start, or have left the log: it is known only by what was written.
        this.#forget(group);
        continue;
      }
      if (group.idle !== null) this.#leaveOpen(group, document.final, this.#time.now);
      group.revision = document.revision;
      group.rules?.asWritten(document.rules, this.#waits);
      if (document.alerting !== null) this.#pushAlerts(group, document.alerting);
      if (document.final) this.#forget(group);
      else this.#forgetIfDone(group);
    }
  }

  #forgetIfDone(group: Group): void {
    const isWaiting = group.rules?.isWaiting === true;
    if (group.created !== null && group.idle === null && group.grace === null && !isWaiting)
      this.#forget(group);
  }

  /** The document of a group is lost, and the next one of its id begins: its members get another once all that is written was read. */
  #setAside(group: Group): void {
    if (group.idle === null) this.#forget(group);
    else this.#groups.delete(group.correlationId);
  }

  #forget(group: Group): void {
    if (this.#groups.get(group.correlationId) === group) this.#groups.delete(group.correlationId);
    this.#bytes -= bytesOf(group);
    group.rules?.stop(this.#waits);
    if (group.created !== null) this.#byCreation.remove(group.created);
    if (group.idle !== null) this.#byActivity.remove(group.idle);
    if (group.age !== null) this.#byAge.remove(group.age);
    if (group.grace !== null) this.#byGrace.remove(group.grace);
    group.created = group.idle = group.age = group.grace = null;
  }
}

/** By name, so that equal labels are equal bytes. */
function alertRule({ name, message, severity, labels, webhook }: Rule): Parameters<typeof alertOf>[2] {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return { name, message, severity, labels: Object.fromEntries(sorted), webhook };
}

function bytesOf({ bytes, rules }: Group): number {
  return rules === null ? bytes : bytes + rules.bytes;
}
