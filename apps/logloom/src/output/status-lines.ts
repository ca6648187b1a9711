import type { SpaceReport } from '@logloom/runtime';
import { colors as pc } from './colors.ts';
import { spaceLines } from './space-lines.ts';

/** The part of `GET /api/status` that the command shows. */
export interface Status {
  version: string;
  uptimeSeconds: number;
  consumers: {
    group: string;
    topic: string;
    partition: number;
    committed: number | null;
    end: number;
    lag: number;
  }[];
  counts: Record<string, number | null>;
  /** How far the log is ahead of the machine's clock, and was set back; null if the log does not respond. */
  clock?: { aheadMs: number; setBackMs: number } | null;
  /** What the embedded stores take of their disk; null with Kafka. */
  space?: SpaceReport | null;
  /** The parts that did not respond; their numbers are missing. */
  unavailable?: { part: string; message: string }[];
}

/** The status as text: one line per consumer and topic, with the sum of its partitions' lag. */
export function statusLines({
  version,
  uptimeSeconds,
  consumers,
  counts,
  clock,
  space,
  unavailable = [],
}: Status): string[] {
  const lag = new Map<string, number>();
  for (const c of consumers) {
    const name = `${c.group.padEnd(12)} ${c.topic}`;
    lag.set(name, (lag.get(name) ?? 0) + c.lag);
  }
  return [
    `${pc.bold('Logloom')} ${version}, up ${Math.round(uptimeSeconds)} s`,
    ...unavailable.map(({ part, message }) => `  ${pc.red(`the ${part} does not respond: ${message}`)}`),
    ...clockLines(clock),
    ...Object.entries(counts).map(([name, value]) => `  ${name.padEnd(24)} ${value ?? 'unknown'}`),
    ...[...lag].map(
      ([name, value]) => `  ${name.padEnd(32)} lag ${value === 0 ? pc.green('0') : pc.yellow(String(value))}`,
    ),
    ...(space === undefined || space === null ? [] : spaceLines(space)),
  ];
}

/** Clocks of several machines differ by less. */
const toleranceMs = 1000;

function clockLines(clock: Status['clock']): string[] {
  if (clock === undefined || clock === null) return [];
  const { aheadMs, setBackMs } = clock;
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  return [
    ...(aheadMs > toleranceMs
      ? [`  ${pc.yellow(`the log is ${seconds(aheadMs)} ahead of the machine's clock`)}`]
      : []),
    ...(setBackMs > toleranceMs ? [`  the log's clock was set back by ${seconds(setBackMs)}`] : []),
  ];
}
