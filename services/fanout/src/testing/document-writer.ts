import { correlationDefaults, memberDeltas, topics, type Correlation, type LogEvent } from '@logloom/schemas';
import type { LiveRig } from './live-rig.ts';

/** For tests: appends events to a rig's log, and documents about them as the correlator writes them. */
export class DocumentWriter {
  readonly #rig: LiveRig;
  #closes = 1_000_000_000;

  constructor(rig: LiveRig) {
    this.#rig = rig;
  }

  /** Appends events of one partition; returns their offsets. */
  async events(partition: number, events: readonly LogEvent[]): Promise<number[]> {
    const [first] = (await this.#rig.log.endOffsets(topics.events)).slice(partition);
    await this.#rig.append(events, () => partition);
    return events.map((_, i) => first! + i);
  }

  /** A document of these members of a partition, to be appended next in it. */
  document(
    partition: number,
    correlationId: string,
    members: readonly { offset: number; event: LogEvent }[],
    revision = 1,
  ): Correlation {
    const events = members.map(({ event }) => event);
    const levels: Record<string, number> = {};
    for (const { level } of events) levels[level] = (levels[level] ?? 0) + 1;
    const offsets = members.map(({ offset }) => offset);
    return {
      ...correlationDefaults,
      id: '',
      correlationId,
      kind: 'requestId',
      revision,
      closeReason: 'rule',
      firstAt: Math.min(...events.map(({ timestamp }) => timestamp)),
      lastAt: Math.max(...events.map(({ timestamp }) => timestamp)),
      services: [...new Set(events.map(({ service }) => service))],
      levels,
      rules: ['a-rule'],
      severity: 'high',
      labels: { team: 'theirs' },
      shape: '0123456789abcdef',
      partition,
      firstOffset: offsets[0]!,
      closeOffset: ++this.#closes,
      closeSequence: 0,
      firstClosedAt: 0,
      memberDeltas: memberDeltas(offsets),
    };
  }
}
