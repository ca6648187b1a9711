import { colors as pc } from './colors.ts';

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
  /** What gave no answer; its numbers are missing. */
  unavailable?: { part: string; message: string }[];
}

/** The status as text: one line a consumer and topic, its partitions' lag added up. */
export function statusLines({
  version,
  uptimeSeconds,
  consumers,
  counts,
  unavailable = [],
}: Status): string[] {
  const lag = new Map<string, number>();
  for (const c of consumers) {
    const name = `${c.group.padEnd(12)} ${c.topic}`;
    lag.set(name, (lag.get(name) ?? 0) + c.lag);
  }
  return [
    `${pc.bold('Logloom')} ${version}, up ${Math.round(uptimeSeconds)} s`,
    ...unavailable.map(({ part, message }) => `  ${pc.red(`the ${part} gives no answer: ${message}`)}`),
    ...Object.entries(counts).map(([name, value]) => `  ${name.padEnd(24)} ${value ?? 'unknown'}`),
    ...[...lag].map(
      ([name, value]) => `  ${name.padEnd(32)} lag ${value === 0 ? pc.green('0') : pc.yellow(String(value))}`,
    ),
  ];
}
