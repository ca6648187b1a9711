import type { Dashboard } from '../read-dashboards.ts';
import { drawPanel } from './draw-panel.ts';
import { queryPanel, type PanelRange } from './query-panel.ts';

const columnPixels = 60;
const rowPixels = 34;
const gapPixels = 8;

export interface RenderedDashboard {
  html: string;
  /** Titles of panels without any line. */
  empty: string[];
}

/** Draws the panels of a dashboard from the data of a Prometheus, into one page without scripts. Throws as queryPanel. */
export async function renderDashboard(
  prometheusUrl: string,
  dashboard: Dashboard,
  range: PanelRange,
): Promise<RenderedDashboard> {
  const empty: string[] = [];
  const drawn: string[] = [];
  for (const panel of dashboard.panels) {
    const series = await queryPanel(prometheusUrl, panel, range);
    if (series.length === 0) empty.push(panel.title);
    const { x, y, w, h } = panel.gridPos;
    const size = { width: w * columnPixels - gapPixels, height: h * rowPixels - gapPixels };
    const place = `left:${x * columnPixels}px;top:${y * rowPixels}px`;
    drawn.push(`<div style="position:absolute;${place}">${drawPanel(panel, series, range, size)}</div>`);
  }
  const height = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h)) * rowPixels;
  const title = dashboard.title.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<body style="margin:16px;background:#111217;color:#d8d9da;font-family:sans-serif">
<h1 style="font-size:20px;font-weight:500">${title}</h1>
<main style="position:relative;width:${24 * columnPixels}px;height:${height}px">
${drawn.join('\n')}
</main>
</body>
</html>
`;
  return { html, empty };
}
