import type { Saturation } from '../analysis/analysis-result.ts';
import { loadBlocksOf } from '../analysis/load-blocks.ts';
import { throughputAt } from '../analysis/scalability-fit.ts';
import type { RunResult } from '../result.ts';
import { linearScale } from './chart-scale.ts';
import { escapeMarkup } from './escape-markup.ts';
import { formatNumber, formatSeconds, formatShare } from './format-quantity.ts';
import type { Drawing, Section } from './report-section.ts';

const outcomes = { reached: 'Reached', 'not-reached': 'Not reached', 'not-shown': 'Not shown' } as const;

/** Where the target was saturated, and how much room there is. */
export function saturationSection(result: RunResult, saturation: Saturation): Section {
  const { outcome, reason, signs, fit, headroom } = saturation;
  return {
    title: 'Saturation and headroom',
    paragraphs: [
      `${outcomes[outcome]}: ${reason}.`,
      ...(headroom === null ? [] : [headroomText(headroom)]),
      ...(fit === null
        ? []
        : [
            `Universal scalability law over ${fit.blocks} blocks of 5 s: contention ${formatNumber(fit.sigma)}, crosstalk ${formatNumber(fit.kappa)}, with loads in units of ${formatNumber(Math.round(fit.unit))} deliveries/s; the curve is off by ${formatNumber(Math.round(fit.rootMeanSquareError))} deliveries/s (root mean square).`,
          ]),
      ...(fit?.saturation
        ? [
            `By the curve the target delivers ${formatNumber(Math.round(fit.saturation.value))} deliveries/s at most (95 %: ${fit.saturation.interval.map((end) => formatNumber(Math.round(end))).join(' to ')}, by drawing the blocks again).`,
          ]
        : []),
    ],
    drawings: fit === null ? [] : [saturationDrawing(result, fit)],
    tables:
      signs.length === 0
        ? []
        : [
            {
              caption: 'What passed its limit, the first first',
              columns: ['reading', 'at', 'load, deliveries/s'],
              rows: signs.map(({ sign, atS, offered }) => [
                sign,
                formatSeconds(atS),
                formatNumber(Math.round(offered)),
              ]),
            },
          ],
  };
}

function headroomText({ over, share, interval, atLeast }: NonNullable<Saturation['headroom']>): string {
  const range =
    interval === null ? '' : ` (95 %: ${interval.map((end) => formatShare(round(end))).join(' to ')})`;
  return `Headroom over the least load of the run, ${formatNumber(Math.round(over))} deliveries/s: ${atLeast ? 'at least ' : ''}${formatShare(round(share))}${range}.`;
}

const round = (share: number): number => Math.round(share * 100) / 100;

const size = { width: 900, height: 300 };
const plot = { left: 90, right: 700, top: 20, bottom: 250 };

/** Each block as a circle, the curve as a line, and what would be all of the load as a dashed one. */
function saturationDrawing(result: RunResult, fit: NonNullable<Saturation['fit']>): Drawing {
  const blocks = loadBlocksOf(result).filter(({ offered }) => offered >= fit.unit);
  const scale = linearScale(
    Math.max(...blocks.map(({ offered, delivered }) => Math.max(offered, delivered))),
  );
  const x = (value: number): number => pixel(plot.left + scale.placeOf(value) * (plot.right - plot.left));
  const y = (value: number): number => pixel(plot.bottom - scale.placeOf(value) * (plot.bottom - plot.top));
  const highest = Math.max(...blocks.map(({ offered }) => offered));
  const curve = Array.from({ length: 60 }, (_, i) => {
    const load = fit.unit + ((highest - fit.unit) * i) / 59;
    return `${i === 0 ? 'M' : 'L'}${x(load)} ${y(throughputAt(fit, load / fit.unit))}`;
  }).join('');
  const ticks = scale.ticks.map(
    (tick) =>
      `<line class="grid" x1="${plot.left}" y1="${y(tick)}" x2="${plot.right}" y2="${y(tick)}"/><text x="${plot.left - 8}" y="${y(tick) + 4}" text-anchor="end">${formatNumber(tick)}</text><text x="${x(tick)}" y="${plot.bottom + 18}" text-anchor="middle">${formatNumber(tick)}</text>`,
  );
  const points = blocks.map(
    ({ offered, delivered }) => `<circle class="marker" cx="${x(offered)}" cy="${y(delivered)}" r="3.5"/>`,
  );
  const title = 'Deliveries a second by the load';
  const lines = blocks.map(
    ({ atS, offered, delivered }) =>
      `From ${formatSeconds(atS)}: ${formatNumber(Math.round(offered))} due, ${formatNumber(Math.round(delivered))} delivered.`,
  );
  const mark =
    fit.saturation === null
      ? ''
      : `<line class="stage" x1="${x(fit.saturation.value)}" y1="${plot.top}" x2="${x(fit.saturation.value)}" y2="${plot.bottom}"/><text x="${x(fit.saturation.value) + 5}" y="${plot.bottom - 6}">saturated</text>`;
  return {
    title,
    lines,
    svg: `<svg class="chart" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-labelledby="saturation-title saturation-description">
<title id="saturation-title">${title}</title>
<desc id="saturation-description">${escapeMarkup(lines.join(' '))}</desc>
${ticks.join('\n')}
<g class="line-1"><path class="line" d="M${x(0)} ${y(0)}L${x(highest)} ${y(highest)}"/><text x="${plot.right + 10}" y="${y(highest) + 4}">all that is due</text></g>
<g class="line-0"><path class="line" d="${curve}"/>${points.join('')}</g>${mark}
<text x="${plot.right + 10}" y="${y(highest) + 24}">○ blocks, solid: the curve</text>
<text x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 40}" text-anchor="middle">deliveries due each second</text>
</svg>`,
  };
}

function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}
