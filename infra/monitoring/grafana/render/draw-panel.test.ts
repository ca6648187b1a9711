import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDashboards, type Panel } from '../read-dashboards.ts';
import { drawPanel } from './draw-panel.ts';
import { formatValue } from './format-value.ts';

const range = { fromSeconds: 1_000, toSeconds: 1_060, stepSeconds: 15, rateSeconds: 60 };
const size = { width: 480, height: 260 };
const panel: Panel = {
  title: 'Events & more',
  datasource: { uid: 'prometheus' },
  gridPos: { x: 0, y: 0, w: 8, h: 8 },
  fieldConfig: { defaults: { unit: 'ops', min: 0 } },
  targets: [],
};

test('a panel has its title, a line for each series with its last value, and says where there is none', () => {
  const series = ['a', 'b'].map((name, i) => ({
    name,
    points: [
      [1_000, 0],
      [1_060, 1_500 * (i + 1)],
    ] as const,
  }));
  const svg = drawPanel(panel, series, range, size);
  for (const text of ['Events &amp; more', 'a  1.5 K/s', 'b  3 K/s']) assert.ok(svg.includes(text), text);
  assert.doesNotMatch(svg, /No data/);
  assert.match(drawPanel(panel, [], range, size), /No data/);
});

test('a line ends where there was no value, and then has none in the legend', () => {
  const line = (points: [number, number][]): string => drawPanel(panel, [{ name: 'a', points }], range, size);
  const whole = line([1_000, 1_015, 1_030, 1_045, 1_060].map((at) => [at, 2]));
  assert.ok(whole.includes('a  2/s'));
  const early = line([1_000, 1_015].map((at) => [at, 2]));
  assert.ok(early.includes('a  –'));
  const moves = (svg: string): number =>
    /<path d="([^"]*)"[^>]*stroke="#7eb26d"/.exec(svg)?.[1]?.match(/M/g)?.length ?? 0;
  assert.equal(moves(whole), 1);
  assert.equal(moves(line([1_000, 1_015, 1_045, 1_060].map((at) => [at, 2]))), 2);
  assert.ok(
    line([
      [1_045, 1],
      [1_060, NaN],
    ]).includes('a  –'),
  );
});

test('a legend names as many lines as it has room for, those with the highest values first', () => {
  const series = Array.from({ length: 40 }, (_, i) => ({
    name: `a line with a long name ${i}`,
    points: [[1_060, i]] as const,
  }));
  const svg = drawPanel(panel, series, range, size);
  const named = series.filter(({ name }) => svg.includes(`${name}  `));
  assert.ok(named.length >= 4 && named.length < 12, String(named.length));
  assert.deepEqual(named, series.slice(-named.length));
  assert.ok(svg.includes(`and ${40 - named.length} more`));
});

test('values are written in the unit of their panel, whatever their size', () => {
  assert.deepEqual(
    [
      formatValue(0, 'bytes'),
      formatValue(1.5 * 2 ** 30, 'bytes'),
      formatValue(2_048, 'Bps'),
      formatValue(0.0123, 's'),
      formatValue(90_000, 's'),
      formatValue(0.001, 'percentunit'),
      formatValue(0.25, 'reqps'),
    ],
    ['0 B', '1.5 GiB', '2 KiB/s', '12.3 ms', '25 h', '0.1 %', '0.25 req/s'],
  );
  for (const { panels } of readDashboards())
    for (const { fieldConfig } of panels) assert.ok(formatValue(1, fieldConfig.defaults.unit));
  assert.throws(() => formatValue(1, 'parsecs'), /parsecs/);
});
