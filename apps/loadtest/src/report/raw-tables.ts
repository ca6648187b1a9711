import type { Latency, RunResult, Second } from '../result.ts';
import { formatBytes, formatCount, formatNumber, formatShare } from './format-quantity.ts';
import type { Table } from './report-section.ts';

/** Browsers take seconds to lay out tables that are longer; timeline.csv has every row. */
const mostTimelineRows = 3_600;

const quantiles = ['p50', 'p95', 'p99', 'p999', 'p9999', 'max'] as const;

/** Headings of the columns that {@link latencyCells} fills. */
export const latencyColumns = ['count', 'p50 ms', 'p95 ms', 'p99 ms', 'p99.9 ms', 'p99.99 ms', 'max ms'];

export function latencyCells(latency: Latency): string[] {
  return [formatCount(latency.count), ...quantiles.map((name) => optional(latency[name], formatNumber))];
}

export function stageTable({ stages }: RunResult): Table {
  return {
    caption: 'Stages, with the latency of their deliveries',
    columns: ['stage', 'from s', 'to s', 'viewers', 'events sent', 'deliveries', ...latencyColumns],
    rows: stages.map((stage) => [
      stage.name,
      formatNumber(stage.fromS),
      formatNumber(stage.toS),
      `${formatCount(stage.viewers.atStart)} → ${formatCount(stage.viewers.atEnd)}`,
      formatCount(stage.eventsSent),
      formatCount(stage.deliveries),
      ...latencyCells(stage.deliveryLatency),
    ]),
  };
}

const timelineColumns: readonly [title: string, cell: (second: Second) => string][] = [
  ['second', ({ atS }) => formatNumber(atS)],
  ['viewers', ({ viewers }) => formatCount(viewers)],
  ['sent', ({ sent }) => formatCount(sent)],
  ['acknowledged', ({ acknowledged }) => formatCount(acknowledged)],
  ['deliveries', ({ deliveries }) => formatCount(deliveries)],
  ['received', ({ receivedBytes }) => formatBytes(receivedBytes)],
  ['connects', ({ connects }) => formatCount(connects)],
  ['failed', ({ connectFailures }) => formatCount(connectFailures)],
  ['cut', ({ disconnects }) => formatCount(disconnects)],
  ['p50 ms', ({ p50Ms }) => optional(p50Ms, formatNumber)],
  ['p95 ms', ({ p95Ms }) => optional(p95Ms, formatNumber)],
  ['p99 ms', ({ p99Ms }) => optional(p99Ms, formatNumber)],
  ['max ms', ({ maxMs }) => optional(maxMs, formatNumber)],
  ['generator CPU', ({ generatorCpu }) => formatShare(generatorCpu)],
  ['server CPU', ({ serverCpu }) => optional(serverCpu, formatShare)],
  ['server memory', ({ serverMemoryBytes }) => optional(serverMemoryBytes, formatBytes)],
];

export function timelineTable({ timeline }: RunResult): Table {
  const whole = timeline.length <= mostTimelineRows;
  return {
    caption: whole
      ? 'Every second'
      : `The first ${formatCount(mostTimelineRows)} of ${formatCount(timeline.length)} seconds; timeline.csv has all`,
    columns: timelineColumns.map(([title]) => title),
    rows: timeline
      .slice(0, mostTimelineRows)
      .map((second) => timelineColumns.map(([, cell]) => cell(second))),
  };
}

function optional(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}
