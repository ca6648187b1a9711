import { hasWholeRecording, recordedLines } from '@logloom/testing';
import { makeRequest, seededRandom } from '../../apps/logloom/src/demo/demo-traffic.ts';

export interface Traffic {
  name: string;
  /** NDJSON lines. */
  lines: string[];
}

/** Real logs where they are at hand: 94,703 lines of 2,475 traces. Otherwise, on a fresh clone, the demo's. */
export function loadTraffic(): Traffic {
  if (hasWholeRecording) return { name: 'Nezha 2023-01-30', lines: recordedLines() };
  return { name: 'demo traffic', lines: demoLines(4000) };
}

/** The lines of so many demo requests, overlapping in time. */
export function demoLines(requests: number): string[] {
  const random = seededRandom(7);
  const begin = Date.parse('2026-01-01T00:00:00Z');
  const events = Array.from({ length: requests }, (_, i) =>
    makeRequest(random).map(({ atMs, attributes, ...event }) => ({
      timestamp: new Date(begin + i * 20 + atMs).toISOString(),
      ...event,
      ...attributes,
    })),
  ).flat();
  return events.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1)).map((event) => JSON.stringify(event));
}
