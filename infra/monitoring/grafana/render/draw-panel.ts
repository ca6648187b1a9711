import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Panel } from '../read-dashboards.ts';
import { formatValue } from './format-value.ts';
import type { PanelRange, PanelSeries } from './query-panel.ts';

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** Grafana's classic palette. */
const colors = ['#7eb26d', '#eab839', '#6ed0e0', '#ef843c', '#e24d42', '#1f78c1', '#ba43a9', '#705da0'];

/** A panel as an SVG of this size in pixels: its lines, with the last value of each in the legend; without any, it says so. */
export function drawPanel(
  panel: Panel,
  series: readonly PanelSeries[],
  range: PanelRange,
  size: { width: number; height: number },
): string {
  const { unit, min } = panel.fieldConfig.defaults;
  const legend = new Map(
    series.map((each) => {
      const last = lastValue(each, range);
      return [each.name, `${each.name}  ${last === undefined ? '–' : formatValue(last, unit)}`];
    }),
  );
  const highest = Math.max(
    0,
    ...series.flatMap(({ points }) => points.map(([, value]) => value).filter(Number.isFinite)),
  );
  const shown = namesInLegend(series, legend, size.width);
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  const dim = { color: '#8e8e8e', fontSize: 11 };
  chart.setOption({
    animation: false,
    backgroundColor: '#181b1f',
    color: colors,
    title: [
      { text: panel.title, left: 10, top: 8, textStyle: { color: '#d8d9da', fontSize: 14 } },
      ...(series.length === 0
        ? [{ text: 'No data', left: 'center', top: 'middle', textStyle: { ...dim, fontSize: 16 } }]
        : []),
      ...(shown.length < legend.size
        ? [{ text: `and ${legend.size - shown.length} more`, right: 10, top: 10, textStyle: dim }]
        : []),
    ],
    legend: {
      type: 'plain',
      left: 10,
      right: 10,
      bottom: 6,
      itemHeight: 3,
      itemWidth: 12,
      itemGap: 8,
      icon: 'rect',
      textStyle: dim,
      data: shown,
      formatter: (name: string) => legend.get(name) ?? name,
    },
    grid: {
      left: 70,
      right: 16,
      top: 42,
      bottom:
        legendLines(
          shown.map((name) => legend.get(name)!),
          size.width,
        ) *
          legendLineHeight +
        34,
    },
    xAxis: {
      type: 'time',
      min: range.fromSeconds * 1000,
      max: range.toSeconds * 1000,
      axisLabel: { ...dim, hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      ...(min !== undefined && { min, ...scaleOf(highest, unit) }),
      axisLabel: { ...dim, formatter: (value: number) => formatValue(value, unit) },
      splitLine: { lineStyle: { color: '#2c3235' } },
    },
    series: series.map(({ name, points }) => ({
      type: 'line',
      name,
      showSymbol: false,
      lineStyle: { width: 1.5 },
      areaStyle: { opacity: 0.08 },
      connectNulls: false,
      data: withGaps(points, range.stepSeconds),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** The value at the end of the range, or just before it; undefined where the line has ended earlier or has no number there. */
function lastValue({ points }: PanelSeries, { toSeconds, stepSeconds }: PanelRange): number | undefined {
  const last = points.at(-1);
  if (last === undefined || last[0] < toSeconds - 2 * stepSeconds || !Number.isFinite(last[1]))
    return undefined;
  return last[1];
}

/** Ends the line where Prometheus had no value. */
function withGaps(
  points: PanelSeries['points'],
  stepSeconds: number,
): [atMs: number, value: number | null][] {
  const drawn: [number, number | null][] = [];
  let before = Infinity;
  for (const [atSeconds, value] of points) {
    if (atSeconds - before > 1.5 * stepSeconds) drawn.push([(before + stepSeconds) * 1000, null]);
    drawn.push([atSeconds * 1000, Number.isFinite(value) ? value : null]);
    before = atSeconds;
  }
  return drawn;
}

/**
 * Of bytes and durations, whose round numbers are no powers of ten, and of shares that are nothing but an error of rounding: where the
 * axis ends, and how far its marks are apart.
 */
function scaleOf(highest: number, unit: string): { max: number; interval: number } | undefined {
  const marks = 5;
  const rough = highest / marks;
  if (unit === 'percentunit' && highest < 1e-9) return { max: 0.01, interval: 0.002 };
  let interval: number;
  if ((unit === 'bytes' || unit === 'Bps') && highest > 0) interval = 2 ** Math.ceil(Math.log2(rough));
  else if (unit === 's' && highest > 300)
    interval =
      [60, 300, 900, 3_600, 21_600, 86_400].find((one) => one >= rough) ?? Math.ceil(rough / 86_400) * 86_400;
  else return undefined;
  return { max: Math.ceil(highest / interval) * interval, interval };
}

const legendLineHeight = 19;
const mostLegendLines = 4;

/** The names of the lines that the legend has room for: those with the highest values. */
function namesInLegend(
  series: readonly PanelSeries[],
  legend: ReadonlyMap<string, string>,
  width: number,
): string[] {
  const highestOf = ({ points }: PanelSeries): number =>
    points.reduce((highest, [, value]) => (value > highest ? value : highest), -Infinity);
  const names = new Set(series.toSorted((a, b) => highestOf(b) - highestOf(a)).map(({ name }) => name));
  const shown = new Set(names);
  for (const name of [...names].reverse()) {
    if (
      legendLines(
        [...shown].map((one) => legend.get(one)!),
        width,
      ) <= mostLegendLines
    )
      break;
    shown.delete(name);
  }
  return [...legend.keys()].filter((name) => shown.has(name));
}

/** ECharts wraps a legend, but does not make room for it. */
function legendLines(names: readonly string[], width: number): number {
  let lines = names.length === 0 ? 0 : 1;
  let used = 0;
  for (const name of names) {
    const needed = name.length * 6.2 + 28;
    if (used + needed > width - 20 && used > 0) {
      lines++;
      used = 0;
    }
    used += needed;
  }
  return lines;
}
