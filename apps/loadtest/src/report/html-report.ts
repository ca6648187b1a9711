import type { RunResult } from '../result.ts';
import { escapeMarkup } from './escape-markup.ts';
import { lineChart, type LineChart } from './line-chart.ts';
import { pageStyle } from './page-style.ts';
import { reportContent } from './report-content.ts';
import type { Drawing, Section, Table } from './report-section.ts';
import { runCharts } from './run-charts.ts';

/** The report as one HTML page without scripts, which loads nothing. All text of the result is escaped. */
export function htmlReport(result: RunResult): string {
  const { title, subtitle, summary, sections, rawTables } = reportContent(result);
  const grade =
    summary.grade === null ? '' : `<span class="grade">grade ${escapeMarkup(summary.grade)}</span>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeMarkup(`${summary.headline}: ${title}`)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header><h1>${escapeMarkup(title)}</h1><p class="dim">${escapeMarkup(subtitle)}</p></header>
<main>
<section class="verdict ${escapeMarkup(summary.overall)}" aria-label="Verdict">${grade}<strong>${escapeMarkup(summary.headline)}</strong><p>${escapeMarkup(summary.sentence)}</p></section>
<div class="summary">
<section><h2>Why</h2>${list(summary.why)}</section>
<section><h2>What to do</h2>${list(summary.whatToDo)}</section>
</div>
<section><h2>Over time</h2><p class="dim">Time in minutes and seconds. Dotted lines begin a stage; hatched bands are faults.</p><div class="charts">
${runCharts(result).map(figure).join('\n')}
</div></section>
<h2>Technical part</h2>
${sections.map(section).join('\n')}
<h2>Raw tables</h2>
<p class="dim">Each folds out on the screen; timeline.csv and result.json have the same figures for programs.</p>
${rawTables.map((each) => `<details><summary>${escapeMarkup(each.caption)}</summary>${table(each)}</details>`).join('\n')}
</main>
</body>
</html>
`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeMarkup(item)}</li>`).join('')}</ul>`;
}

function figure(chart: LineChart): string {
  const empty = chart.series.length === 0;
  return `<figure><h3>${escapeMarkup(chart.title)}</h3>${empty ? '<p>Not measured in this run.</p>' : lineChart(chart)}<figcaption>${escapeMarkup(chart.description)}</figcaption></figure>`;
}

function section({ title, paragraphs, drawings = [], tables }: Section): string {
  return `<section><h3>${escapeMarkup(title)}</h3>${paragraphs.map((text) => `<p>${escapeMarkup(text)}</p>`).join('')}${drawings.map(drawing).join('')}${tables.map(table).join('')}</section>`;
}

function drawing({ title, svg, lines }: Drawing): string {
  return `<figure><h3>${escapeMarkup(title)}</h3>${svg}<details><summary>In words</summary>${list(lines)}</details></figure>`;
}

function table({ caption, columns, rows }: Table): string {
  const head = columns.map((column) => `<th scope="col">${escapeMarkup(column)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<div class="table"><table><caption>${escapeMarkup(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

const figureOf = /^(?:–|[\d.,]+(?: ?(?:%|ms|s|[KMGT]?i?B))?)$/;

function cell(text: string): string {
  return `<td${figureOf.test(text) ? ' class="number"' : ''}>${escapeMarkup(text)}</td>`;
}
