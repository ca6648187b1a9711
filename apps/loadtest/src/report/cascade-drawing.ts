import type { Analysis, Episode } from '../analysis/analysis-result.ts';
import { symptomName } from '../analysis/symptom-names.ts';
import { escapeMarkup } from './escape-markup.ts';
import { formatNumber } from './format-quantity.ts';
import type { Drawing } from './report-section.ts';

const width = 900;
const row = 26;
const plot = { left: 330, right: 870, top: 16 };

/**
 * An episode as a graph: a row for each symptom with a bar while it lasted, and an arrow to what began after it. Arrows that stand for a
 * sequence beyond chance are solid and thick, others dashed, so that it can be read without color.
 */
export function cascadeDrawing({ symptoms }: Analysis, episode: Episode, number: number): Drawing {
  const { fromS, toS, symptoms: members, cascade } = episode;
  const rows = new Map(members.map((index, place) => [index, plot.top + place * row]));
  const height = plot.top + members.length * row + 26;
  // A generator at its limit may have been so before.
  const x = (outside: number): number => {
    const atS = Math.min(toS, Math.max(fromS, outside));
    return pixel(plot.left + ((atS - fromS) / (toS - fromS)) * (plot.right - plot.left));
  };
  const bars = members.map((index, place) => {
    const { component, kind, fromS: from, toS: to } = symptoms[index]!;
    const top = rows.get(index)!;
    const name = `${place + 1} ${component}: ${symptomName(kind)}`;
    return `<g><text x="${plot.left - 10}" y="${top + 13}" text-anchor="end">${escapeMarkup(name)}</text><rect class="symptom" x="${x(from)}" y="${top + 3}" width="${Math.max(3, pixel(x(to) - x(from)))}" height="${row - 12}"/></g>`;
  });
  const arrows = cascade.map(({ from, to, beyondChance }) => {
    const [startX, endX] = [x(symptoms[from]!.fromS), x(symptoms[to]!.fromS)];
    const [startY, endY] = [rows.get(from)! + row - 9, rows.get(to)! + row / 2 - 3];
    return `<path class="link${beyondChance ? ' beyond' : ''}" marker-end="url(#cascade-${number}-head)" d="M${pixel(startX + 2)} ${startY}V${endY}H${pixel(endX - 2)}"/>`;
  });
  const ticks = [fromS, (fromS + toS) / 2, toS].map(
    (atS) =>
      `<text x="${x(atS)}" y="${height - 6}" text-anchor="middle">${escapeMarkup(`${formatNumber(atS)} s`)}</text>`,
  );
  const title = `E${number}: what happened from ${formatNumber(fromS)} to ${formatNumber(toS)} s`;
  const lines = cascadeLines(symptoms, episode);
  return {
    title,
    lines,
    svg: `<svg class="chart cascade" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="cascade-${number}-title cascade-${number}-description">
<title id="cascade-${number}-title">${escapeMarkup(title)}</title>
<desc id="cascade-${number}-description">${escapeMarkup(lines.join(' '))}</desc>
<defs><marker id="cascade-${number}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>
${[...bars, ...arrows, ...ticks].join('\n')}
</svg>`,
  };
}

function cascadeLines(symptoms: Analysis['symptoms'], { symptoms: members, cascade }: Episode): string[] {
  const place = new Map(members.map((index, at) => [index, at + 1]));
  return members.map((index) => {
    const { component, kind, fromS, toS, amount, unit } = symptoms[index]!;
    const after = cascade
      .filter(({ to }) => to === index)
      .map(
        ({ from, afterS, beyondChance }) =>
          `${formatNumber(afterS)} s after ${place.get(from)}${beyondChance ? ' (beyond chance)' : ''}`,
      );
    const order = after.length === 0 ? '' : `; ${after.join(', ')}`;
    return `${place.get(index)}: ${formatNumber(fromS)} to ${formatNumber(toS)} s, ${component}: ${symptomName(kind)} (${formatNumber(Math.round(amount * 10) / 10)} ${unit})${order}.`;
  });
}

function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}
