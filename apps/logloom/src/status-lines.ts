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
  counts: Record<string, number>;
}

/** The status as text: one line a consumer and topic, its partitions' lag added up. */
export function statusLines({ version, uptimeSeconds, consumers, counts }: Status): string[] {
  const lag = new Map<string, number>();
  for (const c of consumers) {
    const name = `${c.group.padEnd(12)} ${c.topic}`;
    lag.set(name, (lag.get(name) ?? 0) + c.lag);
  }
  return [
    `${pc.bold('Logloom')} ${version}, up ${Math.round(uptimeSeconds)} s`,
    ...Object.entries(counts).map(([name, value]) => `  ${name.padEnd(24)} ${value}`),
    ...[...lag].map(
      ([name, value]) => `  ${name.padEnd(32)} lag ${value === 0 ? pc.green('0') : pc.yellow(String(value))}`,
    ),
  ];
}
