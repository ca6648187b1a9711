import { executiveSummary } from '../report/executive-summary.ts';
import { escapeMarkup } from '../report/escape-markup.ts';
import { formatBytes, formatCount, formatMs, formatShare } from '../report/format-quantity.ts';
import { lineChart } from '../report/line-chart.ts';
import { pageStyle } from '../report/page-style.ts';
import { runCharts } from '../report/run-charts.ts';
import type { Incident, RunResult, Second } from '../result.ts';
import { phaseText, type RunProgress } from './run-progress.ts';

/** What changes on the page, as HTML with everything escaped. */
export interface LiveUpdate {
  /** For the title of the page, and read aloud now and then. */
  status: string;
  figures: string;
  charts: string;
  incidents: string;
  /** The verdict, at the end. */
  verdict: string;
}

/** The two seconds before now are not whole. */
const unfinishedSeconds = 2;

/** The style of the page: that of the report, and what only this page has. */
export const liveStyle = `${pageStyle}
header { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: baseline; justify-content: space-between; }
button { font: inherit; padding: 6px 14px; border: 1px solid var(--edge); border-radius: 6px; background: var(--panel); color: var(--text); cursor: pointer; }
button:focus-visible { outline: 3px solid var(--line-0); outline-offset: 2px; }
progress { width: 100%; height: 12px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 16px 0; }
.figures:empty { display: none; }
.figures div { padding: 10px 14px; border: 1px solid var(--edge); border-radius: 8px; }
.figures dt { color: var(--dim); font-size: 13px; } .figures dd { margin: 0; font-size: 22px; font-variant-numeric: tabular-nums; }
`;

/** The page before the first update. */
export function livePageHtml({ scenario, target }: { scenario: string; target: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Load test ${escapeMarkup(scenario)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/live-page.css">
<script src="/live-page.js" defer></script>
</head>
<body>
<header><h1>Load test ${escapeMarkup(scenario)}</h1><button type="button" id="pause" aria-pressed="false">Pause updates</button></header>
<main>
<p class="dim">Target ${escapeMarkup(target)}</p>
<p id="status">Waiting for the first second.</p>
<p id="announcement" role="status" class="dim"></p>
<progress id="progress" aria-label="Time of the scenario" max="1" value="0"></progress>
<section id="verdict" aria-label="Verdict"></section>
<section aria-label="The latest second"><dl class="figures" id="figures"></dl></section>
<section><h2>What went wrong</h2><div id="incidents"><p>Nothing so far.</p></div></section>
<section><h2>Over time</h2><p class="dim">Time in minutes and seconds. Dotted lines begin a stage; hatched bands are faults.</p><div class="charts" id="charts"></div></section>
<noscript><p>This page needs its script to be kept up to date. The report at the end needs none.</p></noscript>
</main>
</body>
</html>
`;
}

/** The page's content for this moment. */
export function liveUpdate({ phase, durationS, latest, look }: RunProgress): LiveUpdate {
  const { timeline, stages, faults, incidents } = look();
  const whole = phase === 'load' ? timeline.slice(0, -unfinishedSeconds) : timeline;
  return {
    status: latest === undefined ? 'Starting' : `${phaseText(phase)}, ${figureTexts(latest).join(', ')}`,
    figures: latest === undefined ? '' : figures(latest),
    charts: runCharts({ timeline: whole, durationS, stages, faults })
      .map(
        (chart) =>
          `<figure><h3>${escapeMarkup(chart.title)}</h3>${chart.series.length === 0 ? '<p>Not measured so far.</p>' : lineChart(chart)}</figure>`,
      )
      .join(''),
    incidents: incidentTable(incidents),
    verdict: '',
  };
}

/** The verdict, where the page shows it. */
export function verdictHtml(result: RunResult, report: string): string {
  const { overall, headline, grade, sentence, why } = executiveSummary(result);
  return `<div class="verdict ${escapeMarkup(overall)}">${grade === null ? '' : `<span class="grade">grade ${escapeMarkup(grade)}</span>`}<strong>${escapeMarkup(headline)}</strong><p>${escapeMarkup(sentence)}</p></div><ul>${why.map((line) => `<li>${escapeMarkup(line)}</li>`).join('')}</ul><p>The report is at ${escapeMarkup(report)}</p>`;
}

function figureTexts({ viewers, deliveries, p99Ms }: Second): string[] {
  return [
    `${formatCount(viewers)} viewers`,
    `${formatCount(deliveries)} deliveries a second`,
    ...(p99Ms === null ? [] : [`99 % within ${formatMs(p99Ms)}`]),
  ];
}

function figures(second: Second): string {
  const {
    viewers,
    sent,
    acknowledged,
    deliveries,
    p50Ms,
    p99Ms,
    serverCpu,
    serverMemoryBytes,
    generatorCpu,
  } = second;
  const shown: [name: string, value: string | null][] = [
    ['Viewers that watch', formatCount(viewers)],
    ['Events sent, 1/s', formatCount(sent)],
    ['Events acknowledged, 1/s', formatCount(acknowledged)],
    ['Deliveries, 1/s', formatCount(deliveries)],
    ['Latency, p50', p50Ms === null ? null : formatMs(p50Ms)],
    ['Latency, p99', p99Ms === null ? null : formatMs(p99Ms)],
    ['CPU of the server', serverCpu === null ? null : formatShare(serverCpu)],
    ['Memory of the server', serverMemoryBytes === null ? null : formatBytes(serverMemoryBytes)],
    ['Busiest core of the generator', formatShare(generatorCpu)],
  ];
  return shown
    .map(
      ([name, value]) =>
        `<div><dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value ?? 'not measured')}</dd></div>`,
    )
    .join('');
}

function incidentTable(incidents: readonly Incident[]): string {
  if (incidents.length === 0) return '<p>Nothing so far.</p>';
  // How late or long something was differs each time.
  const byKind = Map.groupBy(incidents, ({ kind, reason }) => `${kind}\0${reason.replace(/^\d+ ms$/, '')}`);
  const rows = [...byKind.values()]
    .map((all) => {
      const { kind } = all[0]!;
      const reason = all.map((each) => each.reason).reduce((a, b) => (parseInt(b) > parseInt(a) ? b : a));
      const count = all.reduce((sum, each) => sum + each.count, 0);
      return { kind, reason, count, firstS: all[0]!.atS, lastS: all.at(-1)!.atS };
    })
    .sort((a, b) => b.count - a.count)
    .map(
      ({ kind, reason, count, firstS, lastS }) =>
        `<tr><td>${escapeMarkup(kind)}</td><td>${escapeMarkup(reason)}</td><td class="number">${formatCount(count)}</td><td class="number">${Math.floor(firstS)} s</td><td class="number">${Math.floor(lastS)} s</td></tr>`,
    );
  const head = ['What', 'Reason, at worst', 'How often', 'First at', 'Last at']
    .map((name) => `<th scope="col">${name}</th>`)
    .join('');
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}
