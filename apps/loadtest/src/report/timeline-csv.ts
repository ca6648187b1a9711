import type { RunResult, Second } from '../result.ts';

const columns = [
  'atS',
  'viewers',
  'due',
  'sent',
  'acknowledged',
  'deliveries',
  'receivedBytes',
  'connects',
  'connectFailures',
  'disconnects',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'maxMs',
  'generatorCpu',
  'serverCpu',
  'serverMemoryBytes',
  'serverLoopDelayMs',
  'serverLoopShare',
] as const satisfies readonly (keyof Second)[];

/** The timeline as CSV (RFC 4180): a heading, then a row for each second. A field is empty where nothing was measured. */
export function timelineCsv({ timeline }: RunResult): string {
  const rows = timeline.map((second) => columns.map((column) => second[column] ?? '').join(','));
  return `${[columns.join(','), ...rows].join('\r\n')}\r\n`;
}
