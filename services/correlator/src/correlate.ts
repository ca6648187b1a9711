import { FilterSubject } from '@logloom/filter';
import type { Rule, RuleSet } from '@logloom/rules';
import {
  alertOf,
  isCanaryEvent,
  isLoadtestDocument,
  loadtestKind,
  placeEvent,
  type Alert,
  type CloseReason,
  type Correlation,
  type Forward,
  type LogEvent,
  type MemberPlace,
} from '@logloom/schemas';
import { FanIn } from './join/fan-in.ts';
import type { JoinEffect, JoinLink } from './join/join-effects.ts';
import type { Redirect } from './join/redirects.ts';
import { isFinal, WrittenDocuments, type ClosePosition } from './recovery/written-documents.ts';
import { LinkedQueue } from './session/linked-queue.ts';
import { LogClock, type ClockState } from '@logloom/event-log/log-clock';
import { SessionQueues, type BackfillOptions } from './session/session-queues.ts';
import type { CloseRequest } from './session/session-rules.ts';
import {
  addMember,
  openSession,
  sessionKey,
  toDocument,
  type SessionWindow,
  type MemberEvent,
} from './session/session-window.ts';

/** When a session closes. Times in milliseconds of the log's clock. */
export interface CorrelateOptions {
  idleMs: number;
  maxMs: number;
  graceMs: number;
  maxEvents: number;
  /** Open sessions; one more closes the one that was idle longest. */
  maxSessions: number;
  /**
   * The estimated memory that all sessions may use, in bytes. Beyond it the next event closes open sessions, those idle longest first.
   * Beyond half of it, a session that closes takes no late events, so that sessions in their grace time never use more than half.
   */
  memoryBytes: number;
  /** When sessions of backfilled events close; absent: like others. */
  backfill?: BackfillOptions;
  /** Whether links join requests; default false, as in logs of releases that knew no links. */
  joins?: boolean;
}

/** Backfilled sessions that began when options told them apart close at once when these no longer do. */
const noBackfill: BackfillOptions = { idleMs: 0, maxMs: 0, graceMs: 0, memoryBytes: 0 };

/** Receives documents or alerts as they are made. */
export interface Sink<T> {
  push: (value: T) => unknown;
}

const nowhere: Sink<unknown> = { push: () => {} };

/** A record of logs.events; `event` is null for a tick, for rules, and for an event without a correlation id. */
export interface InputRecord {
  offset: number;
  /** Its append time: the log's clock, in milliseconds. */
  timestampMs: number;
  event: MemberEvent | null;
  /** Whether the event was sent as a backfill. */
  isBackfill?: boolean;
  /** If the record stands for the event. */
  forwarded?: MemberPlace & Pick<Forward, 'into' | 'kind' | 'hops'>;
  /** If the record links two ids. */
  link?: JoinLink;
  /** The rules in force from here on, if the record sets them; null for none. */
  rules?: RuleSet | null;
  /** The options in force from here on, for every session, if the record sets them. */
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
  /** The documents that the output holds for the records to come. */
  written: WrittenDocuments;
  /** How many requests an id may join, and how many ids may join a request at once. */
  joinLimit: number;
}

/**
 * Sessions the events of one partition. The state is a function of the applied records only: no clock, no I/O, so the same log always makes
 * the same documents.
 *
 * Restart. The state begins at a start point where every open session is finished in the output. Up to the last written close, sessions
 * close as the output says, which also records evictions; from there on, everything is as if there had been no restart.
 */
export class Correlate {
  readonly #place: { epoch: string; partition: number };
  readonly #written: WrittenDocuments;
  #rules: RuleSet | null;
  #options: CorrelateOptions;
  /** Sessions that are open, or closed and in their grace time, or waiting because of a rule; by sessionKey(). */
  readonly #sessions = new Map<string, SessionWindow>();
  // The same sessions by first offset (for the low-water mark), and those that wait for a deadline, the next one first.
  readonly #byCreation = new LinkedQueue<SessionWindow>();
  readonly #live = new SessionQueues();
  readonly #backfill = new SessionQueues();
  readonly #fanIn = new FanIn();
  readonly #joinLimit: number;
  /** Ids of which the log gets to know that they joined too many. */
  readonly #blocking = new Set<string>();
  readonly #time: LogClock;
  #lostFrom = Infinity;

  // The record in work.
  #offset = -1;
  #sequence = 0;
  #output: Sink<Correlation> = nowhere;
  #alerts: Sink<Alert> = nowhere;
  #effects: Sink<JoinEffect> = nowhere;
  #linking: JoinLink | null = null;

  /** `options` are those in force at the start. */
  constructor(partition: number, options: CorrelateOptions, start: Partial<StartPoint> = {}) {
    const { epoch = 'log', rules = null, written = new WrittenDocuments(), clock } = start;
    this.#joinLimit = start.joinLimit ?? Infinity;
    this.#place = { epoch, partition };
    this.#time = new LogClock(clock);
    this.#options = options;
    this.#rules = rules;
    this.#written = written;
  }

  /** Open sessions. */
  get openSessions(): number {
    return this.#live.byActivity.size + this.#backfill.byActivity.size;
  }

  /** The estimated memory of all sessions and links, in bytes. */
  get bytes(): number {
    const [live, late] = [this.#live, this.#backfill];
    return live.bytes + late.bytes + live.redirects.bytes + late.redirects.bytes;
  }

  /** That of sessions of backfilled events. */
  get backfillBytes(): number {
    return this.#backfill.bytes;
  }

  /** Ids that join a request of another id now, or joined too many. */
  get links(): number {
    return this.#live.redirects.size + this.#backfill.redirects.size;
  }

  /** Events that a rule waits for. */
  get openWaits(): number {
    return this.#live.waits.size + this.#backfill.waits.size;
  }

  /** The rules in force now. */
  get rules(): RuleSet | null {
    return this.#rules;
  }

  /** The log's clock: the time by which sessions close. */
  get time(): Pick<LogClock, 'nowMs' | 'markMs' | 'state' | 'setbacks'> {
    return this.#time;
  }

  /** The options in force now. */
  get options(): CorrelateOptions {
    return this.#options;
  }

  /** The first offset that is still needed after a restart; null when none is. */
  get lowWaterMark(): number | null {
    // A written close that is not reached yet may leave a session in its grace time: until then everything is needed.
    if (!this.#written.isDone) return 0;
    const needed = [
      this.#byCreation.first?.value.firstOffset ?? null,
      this.#live.redirects.lowWaterMark,
      this.#backfill.redirects.lowWaterMark,
    ].filter((offset) => offset !== null);
    const first = needed.length === 0 ? null : Math.min(...needed);
    // It began in the part of the log that was lost.
    return first !== null && first > this.#offset ? Math.min(first, this.#lostFrom) : first;
  }

  /**
   * The log lost its end, from this offset on: the next record has it. Sessions stay as they are; \`last\` is the last close that is
   * written.
   */
  endLost(from: number, last: ClosePosition): void {
    this.#written.endLost(from, last);
    this.#lostFrom = from;
    this.#offset = from - 1;
  }

  /** The log time (ms) at which something is due if nothing else happens; null when nothing waits. */
  get nextDeadlineMs(): number | null {
    const { idleMs, maxMs, graceMs, backfill = noBackfill } = this.#options;
    const [live, late] = [this.#live, this.#backfill];
    const deadline = Math.min(
      live.byActivity.first === null ? Infinity : live.byActivity.first.value.activeAtMs + idleMs,
      live.byAge.first === null ? Infinity : live.byAge.first.value.openedAtMs + maxMs,
      live.byGrace.first === null ? Infinity : live.byGrace.first.value.firstClosedAtMs! + graceMs,
      live.waits.nextDeadlineMs ?? Infinity,
      late.byActivity.size === 0 ? Infinity : late.activeAtMs + backfill.idleMs,
      late.byAge.first === null ? Infinity : late.byAge.first.value.openedAtMs + backfill.maxMs,
      late.byGrace.size + late.redirects.size === 0 ? Infinity : late.activeAtMs + backfill.graceMs,
      live.redirects.nextDeadlineMs ?? Infinity,
    );
    return deadline === Infinity ? null : deadline;
  }

  /**
   * Applies one record, in offset order. Pushes the documents that it closes onto `output`, and their alerts onto `alerts`, including those
   * of documents that are already written: the writer of alerts recognizes by their position which ones it has. What other records the
   * log has to get goes onto `effects`, also if it has them already.
   */
  apply(
    record: InputRecord,
    output: Sink<Correlation>,
    alerts: Sink<Alert> = nowhere,
    effects: Sink<JoinEffect> = nowhere,
  ): void {
    this.#time.advance(record.timestampMs);
    this.#offset = record.offset;
    this.#sequence = this.#written.closesAt(record.offset);
    this.#output = output;
    this.#alerts = alerts;
    this.#effects = effects;
    this.#linking = record.link ?? null;
    if (record.rules !== undefined) this.#rules = record.rules;
    if (record.options !== undefined) this.#options = record.options;

    // The event is in a written document, which will close its session.
    const isWritten = record.event !== null && this.#written.covers(record.offset);
    const isBackfill = record.isBackfill === true && this.#options.backfill !== undefined;
    const key = record.event === null ? '' : keyOfMember(record, isBackfill);
    this.#closeAsWritten(false);
    this.#runOut(isWritten ? key : null);
    if (!isWritten && !this.#written.isBefore(record.offset)) this.#expire();
    this.#endGrace();
    this.#live.redirects.expire(this.#time.nowMs);
    if (record.link !== undefined && this.#options.joins === true) this.#link(record.link, isBackfill);
    if (record.event !== null) {
      this.#add(record.event, record.forwarded, key, isBackfill, isWritten);
      this.#closeAsWritten(true);
    }
    // Its session may be overdue, if the document that closed it before is lost: it must not close without the event.
    if (isWritten) this.#expire();
  }

  #add(
    event: MemberEvent,
    forwarded: InputRecord['forwarded'],
    key: string,
    isBackfill: boolean,
    isWritten: boolean,
  ): void {
    const id = forwarded?.into ?? event.correlationId!;
    const mayClose = !isWritten && !this.#written.isBefore(this.#offset);
    const queues = isBackfill ? this.#backfill : this.#live;
    queues.activeAtMs = this.#time.nowMs;
    if (mayClose) this.#makeRoom(queues, key);
    let session = this.#sessions.get(key);
    if (session !== undefined && this.#written.begins(this.#offset)) {
      this.#setAside(session);
      session = undefined;
    }
    const isCircle = (forwarded?.hops ?? 0) > maxHops;
    if (isCircle && session !== undefined && session.joinedInto !== null) {
      if (mayClose) this.#close(session, 'size', true);
      else this.#forget(session);
      session = undefined;
    }
    if (session === undefined) {
      // Its sessions are measured; they trigger nothing.
      const rules = isCanaryEvent(event) ? null : this.#rules;
      session = openSession(event, id, this.#offset, rules, isBackfill, forwarded?.kind);
      this.#sessions.set(key, session);
      session.created = this.#byCreation.push(session);
      queues.bytes += bytesOf(session);
      const mayJoin = queues.redirects.size > 0 && !isCircle && event.correlationKind !== loadtestKind;
      if (mayJoin) {
        const { redirect, oldest } = queues.redirects.resolve(id);
        this.#depend(session, oldest);
        if (redirect !== null) redirectTo(session, redirect);
      }
    }
    if (isCircle) session.pinned = true;
    if (session.idle === null) {
      // New, or late: an event in the grace time opens the session again.
      session.openedAtMs = this.#time.nowMs;
      session.idle = queues.byActivity.push(session);
      session.age = queues.byAge.push(session);
    } else {
      queues.byActivity.moveToEnd(session.idle);
    }
    session.activeAtMs = this.#time.nowMs;
    const before = bytesOf(session);
    addMember(session, event, this.#offset, forwarded, this.#options.joins);
    let close: CloseRequest = false;
    if (session.joinedInto !== null) this.#forward(session, [this.#offset]);
    else if (session.rules !== null) close = this.#observe(session, event, forwarded);
    queues.bytes += bytesOf(session) - before;
    if (!mayClose) return;
    if (close !== false) this.#close(session, 'rule', close === 'final');
    else if (session.offsets.length >= this.#options.maxEvents) this.#close(session, 'size');
  }

  /** Closes the sessions that were idle longest, while there are too many for an event of this key or they use too much memory. */
  #makeRoom(queues: SessionQueues, key: string): void {
    const { maxSessions } = this.#options;
    const memoryBytes = this.#memoryOf(queues);
    const { byActivity } = queues;
    for (let oldest = byActivity.first; oldest !== null; oldest = byActivity.first) {
      const opens = (this.#sessions.get(key)?.idle ?? null) === null;
      if (queues.bytes <= memoryBytes && !(opens && byActivity.size >= maxSessions)) return;
      this.#close(oldest.value, 'evicted');
    }
  }

  /** The memory that these sessions may use, in bytes. */
  #memoryOf(queues: SessionQueues): number {
    return queues === this.#live ? this.#options.memoryBytes : (this.#options.backfill?.memoryBytes ?? 0);
  }

  #queuesOf({ isBackfill }: SessionWindow): SessionQueues {
    return isBackfill ? this.#backfill : this.#live;
  }

  /** A link joins its id to a request, with the session that the id has now. */
  #link(link: JoinLink, isBackfill: boolean): void {
    const { idleMs, maxMs, graceMs } = this.#options;
    const queues = isBackfill ? this.#backfill : this.#live;
    const { redirects } = queues;
    const nowMs = (queues.activeAtMs = this.#time.nowMs);
    // As long as the request that it joins can take a member.
    const untilMs = isBackfill ? Infinity : nowMs + idleMs + maxMs + graceMs;
    const { redirect, oldest, shared } = redirects.link(
      link,
      this.#offset,
      untilMs,
      this.#memoryOf(queues) / linkShare,
    );
    if (link.into === '') this.#blocking.delete(link.id);
    const session = this.#sessions.get(sessionKey(link.id, null, isBackfill));
    if (session !== undefined && !session.pinned) {
      this.#depend(session, oldest);
      if (redirect !== null && !session.isForwarding) this.#join(session, redirect);
      else if (redirect !== null) redirectTo(session, redirect);
    }
    if (shared !== null) {
      this.#effects.push({ ...shared, offset: this.#offset, isBackfill });
      const requests = this.#fanIn.add(link.id, [shared.id, shared.into], this.#joinLimit);
      if (requests > this.#joinLimit) this.#block(link.id, isBackfill);
    }
    if (redirect === null && link.into !== '' && !isBackfill) this.#keepBlocked(link, untilMs);
    if (redirect !== null && redirects.joining(redirect.into) > this.#joinLimit)
      this.#block(redirect.into, isBackfill);
  }

  /** A restart has to read the links again that decided where the members of a session go. */
  #depend(session: SessionWindow, oldest: Redirect | null): void {
    const { redirects } = this.#queuesOf(session);
    if (oldest === null || (session.link !== null && session.link.offset <= oldest.offset)) return;
    redirects.use(oldest);
    if (session.link !== null) redirects.release(session.link);
    session.link = oldest;
  }

  /** The members of a session are those of another request from now on. */
  #join(session: SessionWindow, redirect: Redirect): void {
    const isWritten = session.joinedInto !== null;
    redirectTo(session, redirect);
    this.#forward(session, [...session.offsets]);
    session.rules?.end(this.#queuesOf(session).waits);
    if (session.idle !== null) return;
    // Its document is out: a revision takes it back.
    if (!isWritten && !this.#written.isBefore(this.#offset)) this.#emit(session, 'rule', false);
    this.#forgetIfDone(session);
  }

  /** A document says where the members of a session go. The record that made it so is to have its effects, also if it is this one. */
  #joinAsWritten(session: SessionWindow, into: string): void {
    const link = this.#linking;
    session.joinedInto ??= { into, kind: link?.into === into ? link.kind : session.kind };
    if (session.isForwarding || link?.id !== session.correlationId) return;
    session.isForwarding = true;
    this.#forward(session, [...session.offsets]);
  }

  #forward({ joinedInto, isBackfill }: SessionWindow, offsets: readonly number[]): void {
    const { into, kind } = joinedInto!;
    this.#effects.push({ type: 'forward', offsets, into, kind, offset: this.#offset, isBackfill });
  }

  /** An id joins too many requests: says so in the log, and with that everybody knows. */
  #block(id: string, isBackfill: boolean): void {
    if (this.#blocking.has(id)) return;
    this.#blocking.add(id);
    const block = { type: 'link', id, into: '', kind: '', rank: -1 } as const;
    this.#effects.push({ ...block, offset: this.#offset, isBackfill });
  }

  /** A link was ignored because one of its ids joined too many: that stays so while links come. */
  #keepBlocked({ id, into }: JoinLink, untilMs: number): void {
    for (const each of [id, into]) {
      const endsMs = this.#live.redirects.blockedUntilMs(each);
      if (endsMs !== null && endsMs - this.#time.nowMs < (untilMs - this.#time.nowMs) / 2)
        this.#block(each, false);
    }
  }

  #observe(session: SessionWindow, event: MemberEvent, place?: MemberPlace): CloseRequest {
    const { partition, offset } = place ?? { partition: this.#place.partition, offset: this.#offset };
    const subject = new FilterSubject(placeEvent(event as LogEvent, this.#place.epoch, partition, offset));
    const { waits } = this.#queuesOf(session);
    return session.rules!.observe(subject, waits, (rule, sequence, sinceMicros) => {
      const withinMs = sequence.withinMicros / 1000;
      // What a backfilled event waits for may be in a file that is sent later: it is settled when the session closes.
      const deadlineMs = session.isBackfill ? Infinity : this.#time.nowMs + withinMs;
      return waits.add({ owner: session, rule, sinceMicros, deadlineMs }, withinMs);
    });
  }

  /**
   * Handles the waits of rules that expired: an open session takes note; a closed one gets a revision. A session with the key `written` gets
   * no document: it is closed as written.
   */
  #runOut(written: string | null): void {
    const mayClose = !this.#written.isBefore(this.#offset);
    const { waits } = this.#live;
    for (let wait = waits.ranOut(this.#time.nowMs); wait !== null; wait = waits.ranOut(this.#time.nowMs)) {
      const { owner: session, rule } = wait;
      session.rules!.ranOut(rule, waits);
      if (!mayClose || keyOf(session) === written) continue;
      if (session.idle === null) this.#emit(session, 'rule', false);
      else if (rule.close !== false) this.#close(session, 'rule', rule.close === 'final');
      this.#forgetIfDone(session);
    }
  }

  #expire(): void {
    const { idleMs, maxMs, backfill = noBackfill } = this.#options;
    const nowMs = this.#time.nowMs;
    const { byActivity } = this.#live;
    for (let node = byActivity.first; node !== null && node.value.activeAtMs + idleMs <= nowMs;) {
      this.#close(node.value, 'idle');
      node = byActivity.first;
    }
    this.#endAge(this.#live, maxMs);
    const late = this.#backfill;
    if (late.activeAtMs + backfill.idleMs <= nowMs)
      for (let node = late.byActivity.first; node !== null; node = late.byActivity.first)
        this.#close(node.value, 'idle');
    this.#endAge(late, backfill.maxMs);
  }

  #endAge({ byAge }: SessionQueues, maxMs: number): void {
    for (let node = byAge.first; node !== null && node.value.openedAtMs + maxMs <= this.#time.nowMs;) {
      this.#close(node.value, 'max');
      node = byAge.first;
    }
  }

  #endGrace(): void {
    const { graceMs, backfill = noBackfill } = this.#options;
    const nowMs = this.#time.nowMs;
    const { byGrace } = this.#live;
    for (let node = byGrace.first; node !== null && node.value.firstClosedAtMs! + graceMs <= nowMs;) {
      this.#leaveGrace(node.value);
      node = byGrace.first;
    }
    const late = this.#backfill;
    if (late.activeAtMs + backfill.graceMs > nowMs) return;
    for (let node = late.byGrace.first; node !== null; node = late.byGrace.first)
      this.#leaveGrace(node.value);
    late.redirects.expire(Infinity);
  }

  #leaveGrace(session: SessionWindow): void {
    this.#queuesOf(session).byGrace.remove(session.grace!);
    session.grace = null;
    this.#forgetIfDone(session);
  }

  #close(session: SessionWindow, reason: CloseReason, forGood = isFinal(reason)): void {
    const queues = this.#queuesOf(session);
    const final = forGood || queues.bytes > this.#memoryOf(queues) / 2;
    if (session.isBackfill) session.rules?.settle(queues.waits);
    this.#leaveOpen(session, final, this.#time.nowMs);
    this.#emit(session, reason, final);
    if (final) this.#forget(session);
    else this.#forgetIfDone(session);
  }

  /** Moves an open session to the closed ones. */
  #leaveOpen(session: SessionWindow, final: boolean, closedAtMs: number): void {
    const queues = this.#queuesOf(session);
    queues.byActivity.remove(session.idle!);
    queues.byAge.remove(session.age!);
    session.idle = null;
    session.age = null;
    if (session.firstClosedAtMs !== null) return;
    session.firstClosedAtMs = closedAtMs;
    if (!final) session.grace = queues.byGrace.push(session);
  }

  #emit(session: SessionWindow, reason: CloseReason, final: boolean): void {
    session.revision++;
    const close = {
      reason,
      final,
      offset: this.#offset,
      sequence: this.#sequence++,
      clock: this.#time.markMs,
      joinLimited: this.#queuesOf(session).redirects.blockedUntilMs(session.correlationId) !== null,
    };
    const document = toDocument(session, this.#place, close);
    this.#output.push(document);
    this.#pushAlerts(session, document);
    if (session.rules !== null) session.rules.announced = session.rules.matched.length;
  }

  #pushAlerts({ rules }: SessionWindow, document: Correlation): void {
    // Rules cost the same for a load test as for users, but nobody is to be called; nor for what happened long before it was sent.
    if (isLoadtestDocument(document) || document.backfill) return;
    document.alerts.forEach((name, index) => {
      const rule = rules?.set.rules.find((each) => each.name === name);
      if (rule !== undefined) this.#alerts.push(alertOf(document, index, alertRule(rule)));
    });
  }

  /**
   * Applies the closes that the output holds, up to the current record. Those caused by the record's own event follow after it was added.
   */
  #closeAsWritten(byEvent: boolean): void {
    for (
      let document = this.#written.next(this.#offset, byEvent);
      document !== undefined;
      document = this.#written.next(this.#offset, byEvent)
    ) {
      const session = this.#sessions.get(document.key);
      if (session === undefined) continue;
      if (session.firstOffset !== document.firstOffset) {
        // Its first events are before the start, or have left the log: only the written document is known.
        this.#forget(session);
        continue;
      }
      if (session.idle !== null) this.#leaveOpen(session, document.final, this.#time.nowMs);
      session.revision = document.revision;
      const { waits } = this.#queuesOf(session);
      session.rules?.asWritten(document.rules, waits);
      if (document.joinedInto !== null) {
        this.#joinAsWritten(session, document.joinedInto);
        session.rules?.end(waits);
      }
      if (document.alerting !== null) this.#pushAlerts(session, document.alerting);
      if (document.final) this.#forget(session);
      else this.#forgetIfDone(session);
    }
  }

  #forgetIfDone(session: SessionWindow): void {
    const isWaiting = session.rules?.isWaiting === true;
    if (session.created !== null && session.idle === null && session.grace === null && !isWaiting)
      this.#forget(session);
  }

  /**
   * The document of a session is lost, and the next one of its id begins: its members get another document once all written ones were read.
   */
  #setAside(session: SessionWindow): void {
    if (session.idle === null) this.#forget(session);
    else this.#sessions.delete(keyOf(session));
  }

  #forget(session: SessionWindow): void {
    const key = keyOf(session);
    const queues = this.#queuesOf(session);
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    queues.bytes -= bytesOf(session);
    session.rules?.stop(queues.waits);
    if (session.created !== null) this.#byCreation.remove(session.created);
    if (session.idle !== null) queues.byActivity.remove(session.idle);
    if (session.age !== null) queues.byAge.remove(session.age);
    if (session.grace !== null) queues.byGrace.remove(session.grace);
    session.created = session.idle = session.age = session.grace = null;
    if (session.link !== null) queues.redirects.release(session.link);
    session.link = null;
  }
}

/** Links take this part of the memory of sessions at most, beside it. */
const linkShare = 8;

/** A request is forwarded this often at most; beyond it, ids join each other in a circle. */
const maxHops = 8;

function redirectTo(session: SessionWindow, { into, kind }: Redirect): void {
  session.isForwarding = true;
  session.joinedInto = { into, kind };
}

function keyOfMember({ event, forwarded }: InputRecord, isBackfill: boolean): string {
  return forwarded === undefined
    ? sessionKey(event!.correlationId!, event!.correlationKind, isBackfill)
    : sessionKey(forwarded.into, null, isBackfill);
}

/** By name, so that equal labels are equal bytes. */
function alertRule(rule: Rule): Parameters<typeof alertOf>[2] {
  const { name, message, severity, labels, webhook, resolveMs } = rule;
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return { name, message, severity, labels: Object.fromEntries(sorted), webhook, resolveAfterMs: resolveMs };
}

function keyOf({ correlationId, kind, isBackfill }: SessionWindow): string {
  return sessionKey(correlationId, kind, isBackfill);
}

function bytesOf({ bytes, rules }: SessionWindow): number {
  return rules === null ? bytes : bytes + rules.bytes;
}
