import type { BatchFate } from '../sender.ts';
import { nanosecondsOf, readLine, type SentLine } from './sent-line.ts';

/** A push of streams by service and level; each entry is the event's line, which Logloom reads as an event. */
export function lokiBody(lines: readonly string[]): string {
  const streams = new Map<string, { labels: Record<string, string>; values: [string, string][] }>();
  for (const line of lines) {
    const { service, level, timestamp } = readLine(line);
    const labels = labelsOf(service, level);
    const name = JSON.stringify(labels);
    let stream = streams.get(name);
    if (stream === undefined) streams.set(name, (stream = { labels, values: [] }));
    stream.values.push([nanosecondsOf(timestamp), line]);
  }
  return JSON.stringify({
    streams: [...streams.values()].map(({ labels, values }) => ({ stream: labels, values })),
  });
}

function labelsOf(service: SentLine['service'], level: SentLine['level']): Record<string, string> {
  return { service_name: service, level };
}

/** 400 says that entries were refused, but not which, and others of the push may be stored. */
export function lokiFate({ status }: { status: number }): BatchFate | undefined {
  if (status === 204 || status === 200) return { fate: 'stored', rejected: [] };
  return status === 400 ? { fate: 'unknown', rejected: [] } : undefined;
}
