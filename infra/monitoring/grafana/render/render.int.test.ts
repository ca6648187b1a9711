import { closedPorts, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { startStack } from '../../../local/start-stack.ts';
import { Pipeline } from '../../../../tests/pipeline/pipeline.ts';
import { Viewer } from '../../../../tests/production/viewer.ts';
import { eventLines, fires, keepDoing } from '../../testing/faults.ts';
import { PrometheusServer, skipUnless } from '../../testing/prometheus-server.ts';
import { readDashboards } from '../read-dashboards.ts';
import { renderDashboard } from './render-dashboard.ts';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const skip = skipUnless(
  process.env['LOGLOOM_FULL'] === '1',
  'draws the dashboards: they need minutes of data',
);
const measuredMs = 90_000;

test('every panel of the dashboards shows data of a running Logloom', { skip }, async (t) => {
  using folder = temporaryFolder('dashboards');
  const rules = join(folder.path, 'rules.yaml');
  writeFileSync(rules, "rules:\n  - { name: failed, when: 'level:error', webhook: 'http://127.0.0.1:9/' }\n");
  // Its certificates are what the dashboard shows.
  await using stack = await startStack({ only: ['redis'], secured: true });
  if (stack.missing.redis !== undefined) return t.skip(stack.missing.redis);
  const syslogPort = await freePort();
  await using pipeline = await Pipeline.create({
    ...stack.env,
    CANARY: 'on',
    CANARY_INTERVAL_MS: '1000',
    CORRELATION_IDLE_MS: '2000',
    CORRELATION_RULES: rules,
    INGEST_SERVICE_QUOTAS: 'noisy=1/1000',
    LIVE_WORKERS: '2',
    ...closedPorts,
    SYSLOG_PORT: String(syslogPort),
  });
  await pipeline.start();
  await using prometheus = await PrometheusServer.start(new URL(pipeline.viewersUrl).host);
  await using traffic = new AsyncDisposableStack();
  for (const filter of ['', 'level:error', 'service:shop'])
    traffic.use(await Viewer.open(pipeline.viewersUrl, filter));
  const fromSeconds = Date.now() / 1000;
  let round = 0;
  traffic.use(
    keepDoing(() => pipeline.ingest(eventLines(20 + 10 * Math.floor(Math.random() * 5), 'shop')), 100),
  );
  traffic.use(
    keepDoing(() =>
      pipeline.ingest(`{"level":"error","message":"failed","traceId":"t${round++}"}\nnot json`),
    ),
  );
  traffic.use(keepDoing(() => pipeline.ingest(eventLines(20, 'noisy')), 1_000));
  for (const path of [
    '/api/search?q=level:error',
    '/api/status',
    '/api/correlations',
    '/api/search?q=level:(',
  ])
    traffic.use(keepDoing(async () => (await fetch(pipeline.viewersUrl + path)).text(), 300));
  const socket = createSocket('udp4');
  traffic.defer(() => void socket.close());
  traffic.use(
    keepDoing(async () => socket.send('<14>1 - host app - - - over syslog', syslogPort, '127.0.0.1')),
  );
  await fires(prometheus, 'LogloomIngestRejectsEvents');
  await sleep(Math.max(0, measuredMs - (Date.now() - fromSeconds * 1000)));

  const toSeconds = Date.now() / 1000;
  const range = { fromSeconds, toSeconds, stepSeconds: 1, rateSeconds: 15 };
  const out = process.env['DASHBOARDS'] ?? join(folder.path, 'pages');
  mkdirSync(out, { recursive: true });
  const empty: string[] = [];
  for (const dashboard of readDashboards()) {
    const rendered = await renderDashboard(prometheus.url, dashboard, range);
    writeFileSync(join(out, `${dashboard.uid}.html`), rendered.html);
    empty.push(...rendered.empty.map((title) => `${dashboard.title}: ${title}`));
  }
  assert.deepEqual(empty, []);
  assert.deepEqual(await prometheus.brokenRules(), []);

  await t.test('a browser draws the pages, each panel in its place', async (t) => {
    if (!existsSync(executablePath)) return t.skip(`chromium is not at ${executablePath} (Debian: chromium)`);
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      for (const { uid, panels } of readDashboards()) {
        const page = await browser.newPage({ viewport: { width: 1480, height: 900 } });
        await page.goto(`file://${join(out, `${uid}.html`)}`);
        assert.equal(await page.locator('svg').count(), panels.length);
        for (const { title } of panels)
          assert.equal(
            await page.locator('svg').getByText(title, { exact: true }).first().isVisible(),
            true,
            title,
          );
        await page.screenshot({ path: join(out, `${uid}.png`), fullPage: true });
        await page.close();
      }
    } finally {
      await browser.close();
    }
  });
});
