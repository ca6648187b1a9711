import type { RunResult, Second } from '../result.ts';
import { binaryScale, linearScale, logarithmicScale } from './chart-scale.ts';
import { formatBytes, formatMs, formatNumber, formatShare } from './format-quantity.ts';
import type { ChartSeries, LineChart } from './line-chart.ts';

/** More points than these cannot be told apart on a page. */
const mostPoints = 300;

type Measure = (second: Second) => number | null;

interface Subject {
  id: string;
  title: string;
  lines: readonly [name: string, measure: Measure][];
  scale: 'linear' | 'binary' | 'logarithmic';
  format: (value: number) => string;
}

const subjects: readonly Subject[] = [
  {
    id: 'viewers',
    title: 'Viewers that watch',
    lines: [['viewers', ({ viewers }) => viewers]],
    scale: 'linear',
    format: formatNumber,
  },
  {
    id: 'deliveries',
    title: 'Deliveries each second',
    lines: [['deliveries', ({ deliveries }) => deliveries]],
    scale: 'linear',
    format: formatNumber,
  },
  {
    id: 'latency',
    title: 'Latency of deliveries, on a logarithmic scale',
    lines: [
      ['p50', ({ p50Ms }) => p50Ms],
      ['p95', ({ p95Ms }) => p95Ms],
      ['p99', ({ p99Ms }) => p99Ms],
      ['highest', ({ maxMs }) => maxMs],
    ],
    scale: 'logarithmic',
    format: formatMs,
  },
  {
    id: 'events',
    title: 'Events each second',
    lines: [
      ['sent', ({ sent }) => sent],
      ['acknowledged', ({ acknowledged }) => acknowledged],
    ],
    scale: 'linear',
    format: formatNumber,
  },
  {
    id: 'cpu',
    title: 'CPU: of the server all cores, of the generator the busiest core',
    lines: [
      ['server', ({ serverCpu }) => serverCpu],
      ['generator', ({ generatorCpu }) => generatorCpu],
    ],
    scale: 'linear',
    format: formatShare,
  },
  {
    id: 'memory',
    title: 'Memory of the server',
    lines: [['server', ({ serverMemoryBytes }) => serverMemoryBytes]],
    scale: 'binary',
    format: formatBytes,
  },
];

/** A chart for each subject of a run; without lines where nothing was measured. */
export function runCharts({
  timeline,
  durationS,
  stages,
  faults,
}: Pick<RunResult, 'timeline' | 'durationS' | 'stages' | 'faults'>): LineChart[] {
  const step = Math.max(1, Math.ceil(timeline.length / mostPoints));
  const groups = Array.from({ length: Math.ceil(timeline.length / step) }, (_, i) =>
    timeline.slice(i * step, (i + 1) * step),
  );
  return subjects.map(({ id, title, lines, scale, format }) => {
    const series = lines
      .map(([name, measure]) => ({ name, values: groups.map((group) => highestOf(group.map(measure))) }))
      .filter(({ values }) => values.some((value) => value !== null));
    const all = series.flatMap(({ values }) => values).filter((value) => value !== null);
    const highest = all.reduce((high, value) => Math.max(high, value), 0);
    const lowest = all.reduce((low, value) => (value > 0 ? Math.min(low, value) : low), Infinity);
    return {
      id,
      title,
      description: `${series.map((one) => describe(one, format)).join(' ')}${step === 1 ? '' : ` Each point is the highest of ${step} seconds.`}`,
      timesS: groups.map((group) => group[0]!.atS),
      durationS: Math.max(durationS, timeline.at(-1)?.atS ?? 0),
      series,
      scale: {
        linear: () => linearScale(highest),
        binary: () => binaryScale(highest),
        logarithmic: () => logarithmicScale(Number.isFinite(lowest) ? lowest : 1, highest),
      }[scale](),
      format,
      stages,
      faults: faults.map(({ kind, startedS, endedS }, i) => ({
        name: `F${i + 1} ${kind}, ${formatNumber(startedS)} to ${formatNumber(endedS)} s`,
        fromS: startedS,
        toS: endedS,
      })),
    };
  });
}

/** The highest, so that no short outage disappears in a mean. */
function highestOf(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (high, value) => (value === null ? high : Math.max(high ?? -Infinity, value)),
    null,
  );
}

function describe({ name, values }: ChartSeries, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const middle = known[Math.floor(known.length / 2)]!;
  return `${name}: lowest ${format(known[0]!)}, median ${format(middle)}, highest ${format(known.at(-1)!)}.`;
}
