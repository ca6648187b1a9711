import { epochMs } from '../clock.ts';
import { IncidentCounter } from './incident-counter.ts';
import { TenthsRecorder } from '../faults/tenths.ts';
import { newHistogram, packed, quantileMs, recordMs } from './latency-histogram.ts';
import type { ProducerEnd, ProducerSecond, ProducerStart } from './messages.ts';
import { queueCount } from './queue-count.ts';
import { SelfWatch } from './self-watch.ts';
import { Ramp } from '../scenario/ramp.ts';
import { openSender } from '../target/open-sender.ts';
import type { Sender } from '../target/sender.ts';
import { eventLine } from '../traffic/event-line.ts';
import { openTraffic } from '../traffic/open-traffic.ts';
import type { Traffic } from '../traffic/traffic.ts';

const tickMs = 10;
const batchEvents = 1_000;
/** How long what was not acknowledged is repeated after the end. */
const patienceMs = 60_000;

interface SendQueue {
  readonly sender: Sender;
  readonly waiting: number[];
  isSending: boolean;
}

/** Sends the events of a run at their intended times, whatever the target does meanwhile: an open model. */
export class Producer {
  readonly #start: ProducerStart;
  readonly #ramp: Ramp;
  readonly #traffic: Traffic;
  readonly #queues: SendQueue[];
  readonly #self = new SelfWatch();
  readonly #stop = new AbortController();
  readonly #refused: number[] = [];
  readonly #unknown: number[] = [];
  readonly #histogram = newHistogram();
  /** From the intended time of an event until it is handed to its queue: the wait for the answer to the batch before is the target's. */
  readonly #lateness = newHistogram();
  readonly #incidents = new IncidentCounter();
  readonly #tenths = new TenthsRecorder();
  readonly #end = Promise.withResolvers<void>();
  /** Of what was written, what turned out not to be read. */
  readonly #confirming: Promise<void>[] = [];
  #second = { sent: 0, acknowledged: 0, retries: 0, requestsByStatus: {} as Record<string, number> };
  #clockOffsetMs = 0;
  #due = 0;
  #dueBefore = 0;
  #acknowledged = 0;

  constructor(start: ProducerStart) {
    this.#start = start;
    this.#ramp = new Ramp(start.scenario.events.stages);
    this.#traffic = openTraffic(start.run, start.scenario.events);
    this.#queues = Array.from({ length: queueCount }, (_, i) => ({
      sender: openSender(
        start.targets[i % start.targets.length]!,
        `loadtest-${start.run}-${i}`,
        (status, isRetried, code) => this.#answered(status, isRetried, code),
      ),
      waiting: [],
      isSending: false,
    }));
  }

  /** Sends all; resolves when every event's fate is known, or patience is over. */
  async run(): Promise<ProducerEnd> {
    const total = Math.floor(this.#ramp.total);
    const ticking = setInterval(() => {
      const due = Math.min(total, Math.floor(this.#ramp.integral(Math.max(0, this.#nowS()))));
      if (due > this.#due)
        recordMs(this.#lateness, (this.#nowS() - this.#ramp.timeOf(this.#due + 1)) * 1_000);
      for (let n = this.#due; n < due; n++)
        this.#queues[this.#traffic.queueOf(n, queueCount)]!.waiting.push(n);
      this.#due = due;
      for (const queue of this.#queues)
        if (!queue.isSending && queue.waiting.length > 0) void this.#send(queue);
      this.#endIfDone(total);
    }, tickMs);
    const patience = setTimeout(() => this.#stop.abort(), this.#ramp.seconds * 1_000 + patienceMs);
    await this.#end.promise;
    clearInterval(ticking);
    for (const { sender } of this.#queues) sender.end?.();
    await Promise.all(this.#confirming);
    clearTimeout(patience);
    return {
      type: 'end',
      intended: total,
      acknowledged: this.#acknowledged,
      refused: this.#refused,
      unknown: this.#unknown,
    };
  }

  /** Ends early: what is due now is the last. */
  abort(): void {
    this.#stop.abort();
  }

  /** From now on the timestamps of events are off by so much, as by a wrong clock; their intended times stay. */
  setClock(offsetMs: number): void {
    this.#clockOffsetMs = offsetMs;
  }

  second(second: number): ProducerSecond {
    const figures: ProducerSecond = {
      type: 'second',
      second,
      due: this.#due - this.#dueBefore,
      ...this.#second,
      incidents: this.#incidents.take(second),
      ingestHistogram: packed(this.#histogram),
      tenths: this.#tenths.take(this.#nowS()),
      latenessP99Ms: quantileMs(this.#lateness, 99) ?? 0,
      ...this.#self.look(),
    };
    this.#second = { sent: 0, acknowledged: 0, retries: 0, requestsByStatus: {} };
    this.#dueBefore = this.#due;
    this.#histogram.reset();
    this.#lateness.reset();
    return figures;
  }

  #answered(status: string, isRetried: boolean, code: string | undefined): void {
    const { requestsByStatus } = this.#second;
    requestsByStatus[status] = (requestsByStatus[status] ?? 0) + 1;
    if (code !== undefined) this.#incidents.add('send-failed', code);
    if (!isRetried) return;
    this.#second.retries++;
    this.#tenths.at(this.#nowS()).failed++;
  }

  #endIfDone(total: number): void {
    const isIdle = this.#queues.every(({ isSending, waiting }) => !isSending && waiting.length === 0);
    if (isIdle && this.#due >= total) this.#end.resolve();
  }

  async #send(queue: SendQueue): Promise<void> {
    queue.isSending = true;
    while (queue.waiting.length > 0) {
      const numbers = queue.waiting.splice(0, batchEvents);
      if (this.#stop.signal.aborted) {
        // Never sent.
        this.#refused.push(...numbers);
        continue;
      }
      const lines = numbers.map((n) => this.#line(n));
      this.#second.sent += numbers.length;
      const batch = await queue.sender.send(lines, this.#stop.signal);
      const { fate, rejected } = batch;
      if (fate === 'refused' || fate === 'unknown') {
        (fate === 'refused' ? this.#refused : this.#unknown).push(...numbers);
        continue;
      }
      if (batch.fate === 'written') this.#confirming.push(this.#confirm(numbers, batch.isRead));
      for (const line of rejected) this.#refused.push(numbers[line - 1]!);
      const now = this.#nowS();
      this.#acknowledged += numbers.length - rejected.length;
      this.#second.acknowledged += numbers.length - rejected.length;
      if (fate === 'stored')
        for (const n of numbers) recordMs(this.#histogram, (now - this.#ramp.timeOf(n + 1)) * 1_000);
      const tenth = this.#tenths.at(now);
      tenth.arrived += numbers.length;
      tenth.worstMs = Math.max(tenth.worstMs, (now - this.#ramp.timeOf(numbers[0]! + 1)) * 1_000);
    }
    queue.isSending = false;
  }

  async #confirm(numbers: readonly number[], isRead: Promise<boolean>): Promise<void> {
    if (await isRead) return;
    this.#acknowledged -= numbers.length;
    this.#unknown.push(...numbers);
  }

  #line(n: number): string {
    const intendedMs = this.#start.startsAtMs + this.#ramp.timeOf(n + 1) * 1_000;
    return eventLine(this.#traffic, n, intendedMs + this.#clockOffsetMs);
  }

  #nowS(): number {
    return (epochMs() - this.#start.startsAtMs) / 1_000;
  }
}
