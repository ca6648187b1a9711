import type { ChartScale } from './chart-scale.ts';
import { escapeMarkup } from './escape-markup.ts';

export interface ChartSeries {
  name: string;
  /** One for each of the chart's times; null where nothing was measured: the line has a gap there. */
  values: readonly (number | null)[];
}

export interface LineChart {
  /** Unique on its page; letters and hyphens. */
  id: string;
  title: string;
  /** What the chart shows, for those who cannot see it. */
  description: string;
  timesS: readonly number[];
  durationS: number;
  series: readonly ChartSeries[];
  scale: ChartScale;
  format: (value: number) => string;
  stages: readonly { name: string; fromS: number; toS: number }[];
  faults: readonly { name: string; fromS: number; toS: number }[];
}

const width = 580;
const height = 270;
const plot = { left: 78, right: 450, top: 44, bottom: 236 };
const labelDistance = 17;
const markersPerLine = 10;
const characterPixels = 6.4;

/**
 * A line chart as SVG for an HTML page that has the classes of its lines. Lines differ in dash, marker and a label at their end, so it can be
 * read without color; stages are marked at the top, faults by a hatched band.
 */
export function lineChart(chart: LineChart): string {
  const { id, title, description, series } = chart;
  return `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-description">
<title id="${id}-title">${escapeMarkup(title)}</title>
<desc id="${id}-description">${escapeMarkup(description)}</desc>
<defs><pattern id="${id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>
${[...faultBands(chart), ...axes(chart), ...stageMarks(chart), ...series.map((one, i) => line(chart, one, i)), ...labels(chart)].join('\n')}
</svg>`;
}

function x({ durationS }: LineChart, atS: number): number {
  const share = Math.min(1, Math.max(0, atS / (durationS > 0 ? durationS : 1)));
  return pixel(plot.left + share * (plot.right - plot.left));
}

function y({ scale }: LineChart, value: number): number {
  return pixel(plot.bottom - Math.min(1, Math.max(0, scale.placeOf(value))) * (plot.bottom - plot.top));
}

function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}

function faultBands(chart: LineChart): string[] {
  return chart.faults.map(({ name, fromS, toS }) => {
    const from = x(chart, fromS);
    const across = Math.max(3, pixel(x(chart, toS) - from));
    return `<g><title>${escapeMarkup(name)}</title><rect class="fault" fill="url(#${chart.id}-hatch)" x="${from}" y="${plot.top}" width="${across}" height="${plot.bottom - plot.top}"/><text class="fault-name" x="${pixel(from + across / 2)}" y="${plot.top - 4}" text-anchor="middle">${escapeMarkup(name.split(' ')[0]!)}</text></g>`;
  });
}

function axes(chart: LineChart): string[] {
  const rows = chart.scale.ticks.map((tick) => {
    const at = y(chart, tick);
    return `<line class="grid" x1="${plot.left}" y1="${at}" x2="${plot.right}" y2="${at}"/><text x="${plot.left - 8}" y="${at + 4}" text-anchor="end">${escapeMarkup(chart.format(tick))}</text>`;
  });
  const columns = timeTicks(chart.durationS).map(
    (tick) =>
      `<text x="${x(chart, tick)}" y="${plot.bottom + 18}" text-anchor="middle">${escapeMarkup(clock(tick))}</text>`,
  );
  return [...rows, ...columns];
}

function timeTicks(durationS: number): number[] {
  const rough = durationS / 6;
  const step =
    [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200].find(
      (one) => one >= rough,
    ) ?? Math.ceil(rough / 86_400) * 86_400;
  return Array.from({ length: Math.floor(durationS / step) + 1 }, (_, i) => i * step);
}

/** Minutes and seconds, and hours where there are any. */
function clock(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const minutes = `${two((seconds % 3_600) / 60)}:${two(seconds % 60)}`;
  return seconds < 3_600 ? minutes : `${Math.floor(seconds / 3_600)}:${minutes}`;
}

function stageMarks(chart: LineChart): string[] {
  return chart.stages.map(({ name, fromS, toS }) => {
    const from = x(chart, fromS);
    const room = Math.floor((x(chart, toS) - from - 6) / characterPixels);
    const short = name.length <= room ? name : room < 3 ? '' : `${name.slice(0, room - 1)}…`;
    return `<g><title>${escapeMarkup(`stage ${name}`)}</title><line class="stage" x1="${from}" y1="${plot.top - 36}" x2="${from}" y2="${plot.bottom}"/><text class="stage-name" x="${from + 4}" y="${plot.top - 26}">${escapeMarkup(short)}</text></g>`;
  });
}

function line(chart: LineChart, { name, values }: ChartSeries, index: number): string {
  const points = values.map((value, i) =>
    value === null ? null : ([x(chart, chart.timesS[i]!), y(chart, value)] as const),
  );
  let path = '';
  let pen = false;
  for (const point of points) {
    if (point !== null) path += `${pen ? 'L' : 'M'}${point[0]} ${point[1]}`;
    pen = point !== null;
  }
  const every = Math.max(1, Math.floor(points.length / markersPerLine));
  // Each line has its markers at other times, so that lines at the same height can be told apart.
  const offset = Math.floor((every * index) / 4);
  const markers = points
    .filter((point, i) => point !== null && (i % every === offset || alone(points, i)))
    .map((point) => marker(index, point![0], point![1]));
  return `<g class="line-${index % 4}"><title>${escapeMarkup(name)}</title><path class="line" d="${path}"/>${markers.join('')}</g>`;
}

/** A point between two gaps, which no line reaches. */
function alone(points: readonly unknown[], i: number): boolean {
  return (points[i - 1] ?? null) === null && (points[i + 1] ?? null) === null;
}

function marker(index: number, cx: number, cy: number): string {
  switch (index % 4) {
    case 0:
      return `<circle class="marker" cx="${cx}" cy="${cy}" r="3.5"/>`;
    case 1:
      return `<rect class="marker" x="${pixel(cx - 3.2)}" y="${pixel(cy - 3.2)}" width="6.4" height="6.4"/>`;
    case 2:
      return `<path class="marker" d="M${cx} ${pixel(cy - 4.4)}l4.2 7.4h-8.4z"/>`;
    default:
      return `<path class="marker" d="M${cx} ${pixel(cy - 4.8)}l4.8 4.8l-4.8 4.8l-4.8 -4.8z"/>`;
  }
}

/** The names of the lines where they end, moved apart where they would overlap. */
function labels(chart: LineChart): string[] {
  const ends = chart.series
    .map(({ name, values }, index) => {
      const last = values.findLastIndex((value) => value !== null);
      return last === -1
        ? null
        : { name, index, endX: x(chart, chart.timesS[last]!), endY: y(chart, values[last]!), at: 0 };
    })
    .filter((end) => end !== null)
    .sort((a, b) => a.endY - b.endY);
  let above = -Infinity;
  for (const end of ends) {
    end.at = Math.max(end.endY, above + labelDistance);
    above = end.at;
  }
  let below = plot.bottom + labelDistance;
  for (const end of ends.toReversed()) {
    end.at = pixel(Math.min(end.at, below - labelDistance));
    below = end.at;
  }
  return ends.map(({ name, index, endX, endY, at }) => {
    const labelX = plot.right + 22;
    return `<g class="line-${index % 4}"><path class="leader" d="M${endX} ${endY}L${plot.right + 14} ${at}"/>${marker(index, labelX - 4, at)}<text x="${labelX + 5}" y="${pixel(at + 4)}">${escapeMarkup(name)}</text></g>`;
  });
}
