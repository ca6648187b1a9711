import { closedPorts, eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, globSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Viewer } from '../../tests/production/viewer.ts';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { readRules } from './prometheus/read-rules.ts';
import {
  clears as clearsOn,
  eventLines,
  fires as firesOn,
  firesDuring as duringOn,
  keepDoing,
} from './testing/faults.ts';
import { withoutPrometheus, PrometheusServer } from './testing/prometheus-server.ts';

const full = process.env['LOGLOOM_FULL'] === '1';
/** Resolves when a viewer was let in, and has gone again, or was refused. */
async function tryToConnect(url: string): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/live`);
  await new Promise((resolve) => {
    socket.onopen = resolve;
    socket.onerror = resolve;
  });
  socket.close();
}

function mountSmallDisk(folder: string): Disposable | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'logloom-test', folder], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  return { [Symbol.dispose]: () => void execFileSync('umount', ['-l', folder]) };
}

test('a real Prometheus: alerts fire while there is a fault, and clear when it is mended', async (t) => {
  if (withoutPrometheus !== false) return t.skip(withoutPrometheus);
  using rulesFolder = temporaryFolder('rules');
  const rulesFile = join(rulesFolder.path, 'rules.yaml');
  writeFileSync(rulesFile, 'rules: []\n');
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '500',
    ...(full && {
      ...closedPorts,
      SYSLOG_PORT: String(await freePort()),
      CORRELATION_RULES: rulesFile,
      LIVE_MAX_VIEWERS: '2',
      INGEST_SERVICE_QUOTAS: 'noisy=1/1000',
      INGEST_MAX_CONNECTIONS: '8',
    }),
  });
  using disk = full ? mountSmallDisk(pipeline.dataFolder) : undefined;
  await pipeline.start();
  await using prometheus = await PrometheusServer.start(new URL(pipeline.viewersUrl).host);
  const fires = (...names: string[]): Promise<void> => firesOn(prometheus, ...names);
  const clears = (...names: string[]): Promise<void> => clearsOn(prometheus, ...names);
  const firesDuring = (
    names: readonly string[],
    fault: (faults: AsyncDisposableStack) => Promise<unknown> | void,
  ): Promise<void> => duringOn(prometheus, names, fault);
  await eventually('scraped', async () => (await prometheus.query('logloom_ready == 1')).length > 0);
  await using always = new AsyncDisposableStack();
  if (full) always.use(await Viewer.open(pipeline.viewersUrl, ''));
  always.use(keepDoing(() => pipeline.ingest(eventLines(5, 'shop'))));

  await t.test('rejected events', async () => {
    await firesDuring(['LogloomIngestRejectsEvents'], async (faults) => {
      faults.use(keepDoing(() => pipeline.ingest(`${eventLines(1, 'shop')}\nnot json {\n{"level":[]}`)));
    });
  });

  await t.test('a counter that an alert asks about is 0 before it is increased', async () => {
    // Otherwise its first increase would be invisible to rate() and increase().
    const later = new Map([
      ['logloom_ingest_quota_refused_requests_total', 'has a key'],
      ['logloom_ingest_quota_refusals_total', 'has a receiver; its rate counts, not its first increase'],
      ['logloom_ingest_rejected_events_total', 'has a receiver and a code; its rate counts'],
      ['logloom_ingest_syslog_dropped_datagrams_total', 'syslog may be off'],
      ['logloom_ingest_syslog_refused_connections_total', 'syslog may be off'],
      ['logloom_indexer_damaged_files_total', 'has a file; counted at the start'],
      ['logloom_live_worker_restarts_total', 'needs LIVE_WORKERS'],
      ['logloom_notifications_total', 'has a receiver; 0 from the start where RECEIVERS names one'],
    ]);
    const missing = new Set<string>();
    for (const { expr } of readRules())
      for (const [selector, metric] of expr.matchAll(/(logloom_\w+_total)(?:\{[^}]*\})?/g)) {
        // Those of the canary need CANARY=on: render/render.int.test.ts has it.
        if (later.has(metric!) || metric!.startsWith('logloom_canary_')) continue;
        const codes = /(code|reason)=~"([^"]+)"/.exec(selector);
        const wanted = codes?.[2]!.split('|').map((code) => `${metric}{${codes[1]}="${code}"}`) ?? [selector];
        for (const one of wanted) if ((await prometheus.query(one)).length === 0) missing.add(one);
      }
    assert.deepEqual([...missing], []);
  });

  await t.test('every rule can be evaluated', async () => {
    assert.deepEqual(await prometheus.brokenRules(), []);
  });

  if (!full) return;

  await t.test('a full disk', async (t) => {
    if (disk === undefined) return t.skip('this user may not mount a file system');
    const ballast = join(pipeline.dataFolder, 'ballast');
    const { bavail, bsize } = statfsSync(pipeline.dataFolder);
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 2 ** 20)));
    await fires('LogloomDiskFull', 'LogloomNotReady', 'LogloomIngestErrorBudget');
    rmSync(ballast);
    await clears('LogloomDiskFull', 'LogloomNotReady', 'LogloomIngestErrorBudget');
  });

  await t.test('a disk that fills up', async (t) => {
    if (disk === undefined) return t.skip('this user may not mount a file system');
    const ballast = join(pipeline.dataFolder, 'ballast');
    const growing = join(pipeline.dataFolder, 'growing');
    await firesDuring(['LogloomDiskFillsUp'], (faults) => {
      const { bavail, blocks, bsize } = statfsSync(pipeline.dataFolder);
      writeFileSync(ballast, Buffer.alloc((bavail - 0.35 * blocks) * bsize));
      faults.defer(() => rmSync(ballast));
      faults.defer(() => rmSync(growing));
      faults.use(keepDoing(async () => appendFileSync(growing, Buffer.alloc(2 ** 16))));
    });
  });

  await t.test('a killed process', async () => {
    await pipeline.end('SIGKILL');
    await fires('LogloomDown', 'LogloomAbsent');
    await pipeline.start();
    await clears('LogloomDown', 'LogloomAbsent');
  });

  await t.test('a damaged file of the search store', async () => {
    await pipeline.end('SIGTERM');
    const file = globSync('**/search*.db', { cwd: pipeline.dataFolder })[0];
    assert.ok(file);
    writeFileSync(join(pipeline.dataFolder, file), Buffer.alloc(65_536, 1));
    await pipeline.start();
    await fires('LogloomDamagedFile', 'LogloomViewLost');
    await clears('LogloomDamagedFile', 'LogloomViewLost');
  });

  await t.test('as many viewers as allowed, and one more', async () => {
    await firesDuring(['LogloomViewersNearLimit', 'LogloomViewersRefused'], async (faults) => {
      faults.use(await Viewer.open(pipeline.viewersUrl, 'level:error'));
      faults.use(keepDoing(() => tryToConnect(pipeline.viewersUrl)));
    });
  });

  await t.test('a service over its quota', async () => {
    await firesDuring(['LogloomIngestQuotaExceeded'], async (faults) => {
      faults.use(keepDoing(() => pipeline.ingest(eventLines(50, 'noisy'))));
    });
  });

  await t.test('more connections than allowed', async () => {
    const { hostname, port } = new URL(pipeline.ingestUrl);
    await firesDuring(['LogloomIngestConnectionsRefused', 'LogloomIngestConnectionsNearLimit'], (faults) => {
      const connectOnce = async (): Promise<void> => {
        const socket = connect(Number(port), hostname).on('error', () => undefined);
        socket.write('POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{');
        faults.defer(() => void socket.destroy());
      };
      faults.use(keepDoing(connectOnce, 50));
    });
  });

  await t.test('a rules file that cannot be used', async () => {
    writeFileSync(rulesFile, 'rules: 7\n');
    await fires('LogloomRulesFileUnusable');
    writeFileSync(rulesFile, 'rules: []\n');
    await clears('LogloomRulesFileUnusable');
  });
});
