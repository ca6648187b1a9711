import { eventually, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Viewer } from '../../tests/production/viewer.ts';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { dashboardQueries, panelsWithoutData } from './grafana/read-dashboards.ts';
import { hasPrometheus, PrometheusServer } from './testing/prometheus-server.ts';

const full = process.env['LOGLOOM_FULL'] === '1';
const events = (count: number, service: string): string =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ service, message: 'm', level: 'info', traceId: `${service}-${i}` }),
  ).join('\n');

/** Does something again and again until it is disposed of; what it does may fail. */
function keepDoing(action: () => Promise<unknown>, everyMs = 200): AsyncDisposable {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await action().catch(() => undefined);
      await sleep(everyMs);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

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
  if (!hasPrometheus) return t.skip('prometheus is not installed (Debian: prometheus)');
  using rulesFolder = temporaryFolder('rules');
  const rulesFile = join(rulesFolder.path, 'rules.yaml');
  writeFileSync(rulesFile, 'rules: []\n');
  await using pipeline = await Pipeline.create({
    CORRELATION_IDLE_MS: '500',
    ...(full && {
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
  const fires = (...names: string[]): Promise<unknown> =>
    eventually(`firing: ${names.join()}`, async () => {
      const firing = await prometheus.firing();
      return names.every((name) => firing.has(name));
    });
  const clears = (...names: string[]): Promise<unknown> =>
    eventually(`cleared: ${names.join()}`, async () => {
      const firing = await prometheus.firing();
      return names.every((name) => !firing.has(name));
    });
  await eventually('scraped', async () => (await prometheus.query('logloom_ready == 1')).length > 0);
  await using always = new AsyncDisposableStack();
  if (full) always.use(await Viewer.open(pipeline.viewersUrl, ''));
  always.use(keepDoing(() => pipeline.ingest(events(5, 'shop'))));

  await t.test('rejected events', async () => {
    {
      await using fault = new AsyncDisposableStack();
      fault.use(keepDoing(() => pipeline.ingest(`${events(1, 'shop')}\nnot json {\n{"level":[]}`)));
      await fires('LogloomIngestRejectsEvents');
    }
    await clears('LogloomIngestRejectsEvents');
  });

  await t.test('every rule can be evaluated', async () => {
    assert.deepEqual(await prometheus.brokenRules(), []);
  });

  if (!full) return;

  await t.test('every panel shows data, but for those that need what is not here', async () => {
    const empty = new Set<string>();
    await eventually(
      'panels with data',
      async () => {
        empty.clear();
        for (const { title, expr } of dashboardQueries())
          if ((await prometheus.query(expr)).length === 0) empty.add(title);
        return [...empty].every((title) => panelsWithoutData.has(title));
      },
      60_000,
    ).catch(() =>
      assert.deepEqual(
        [...empty].filter((title) => !panelsWithoutData.has(title)),
        [],
      ),
    );
  });

  await t.test('a full disk', async (t) => {
    if (disk === undefined) return t.skip('this user may not mount a file system');
    const ballast = join(pipeline.dataFolder, 'ballast');
    const { bavail, bsize } = statfsSync(pipeline.dataFolder);
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 2 ** 20)));
    await fires('LogloomDiskFull', 'LogloomNotReady', 'LogloomIngestErrorBudget');
    rmSync(ballast);
    await clears('LogloomDiskFull', 'LogloomNotReady', 'LogloomIngestErrorBudget');
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
    await fires('LogloomDamagedFile');
    await clears('LogloomDamagedFile');
  });

  await t.test('as many viewers as allowed, and one more', async () => {
    {
      await using fault = new AsyncDisposableStack();
      fault.use(await Viewer.open(pipeline.viewersUrl, 'level:error'));
      fault.use(keepDoing(() => tryToConnect(pipeline.viewersUrl)));
      await fires('LogloomViewersNearLimit', 'LogloomViewersRefused');
    }
    await clears('LogloomViewersNearLimit', 'LogloomViewersRefused');
  });

  await t.test('a service over its quota', async () => {
    {
      await using fault = new AsyncDisposableStack();
      fault.use(keepDoing(() => pipeline.ingest(events(50, 'noisy'))));
      await fires('LogloomIngestQuotaExceeded');
    }
    await clears('LogloomIngestQuotaExceeded');
  });

  await t.test('more connections than allowed', async () => {
    const { hostname, port } = new URL(pipeline.ingestUrl);
    const sockets: Socket[] = [];
    {
      await using fault = new AsyncDisposableStack();
      const connectOnce = async (): Promise<void> => {
        const socket = connect(Number(port), hostname).on('error', () => undefined);
        socket.write('POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{');
        sockets.push(socket);
      };
      fault.use(keepDoing(connectOnce, 50));
      await fires('LogloomIngestConnectionsRefused');
    }
    for (const socket of sockets) socket.destroy();
    await clears('LogloomIngestConnectionsRefused');
  });

  await t.test('a rules file that cannot be used', async () => {
    writeFileSync(rulesFile, 'rules: 7\n');
    await fires('LogloomRulesFileUnusable');
    writeFileSync(rulesFile, 'rules: []\n');
    await clears('LogloomRulesFileUnusable');
  });
});
