import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readDashboards } from '../read-dashboards.ts';
import { renderDashboard } from './render-dashboard.ts';

const usage = `node infra/monitoring/grafana/render/main.ts [options]

Draws the dashboards from the data of a Prometheus, one HTML page each.

  --prometheus URL   default http://localhost:9090
  --minutes N        how far back, default 60
  --scrape SECONDS   how often Prometheus scrapes, default 15
  --out FOLDER       default dashboards
`;

const { values } = parseArgs({
  options: {
    prometheus: { type: 'string', default: 'http://localhost:9090' },
    minutes: { type: 'string', default: '60' },
    scrape: { type: 'string', default: '15' },
    out: { type: 'string', default: 'dashboards' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(usage);
} else {
  const toSeconds = Date.now() / 1000;
  const seconds = Number(values.minutes) * 60;
  const scrapeSeconds = Number(values.scrape);
  const stepSeconds = Math.max(scrapeSeconds, seconds / 300);
  const rateSeconds = Math.ceil(Math.max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds));
  const range = { fromSeconds: toSeconds - seconds, toSeconds, stepSeconds, rateSeconds };
  mkdirSync(values.out, { recursive: true });
  for (const dashboard of readDashboards()) {
    const { html, empty } = await renderDashboard(values.prometheus, dashboard, range);
    const path = join(values.out, `${dashboard.uid}.html`);
    writeFileSync(path, html);
    const without = empty.length === 0 ? '' : `, without data: ${empty.join(', ')}`;
    process.stdout.write(`${path}${without}\n`);
  }
}
