import { closedPorts, freePort, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { startStack } from '../local/start-stack.ts';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { Viewer } from '../../tests/production/viewer.ts';
import { eventLines, firesDuring, holdUp, keepDoing } from './testing/faults.ts';
import { PrometheusServer, skipUnless } from './testing/prometheus-server.ts';

const skip = skipUnless(process.env['LOGLOOM_FULL'] === '1', 'makes these faults: they take minutes');

test(
  'a real Prometheus: alerts about viewers, searches, webhooks, datagrams and certificates',
  { skip },
  async (t) => {
    using folder = temporaryFolder('faults');
    let webhookStatus = 200;
    const receiver = createServer((request, response) => {
      request.resume();
      response.writeHead(webhookStatus).end();
    });
    await once(receiver.listen(0, '127.0.0.1'), 'listening');
    using cleanUp = new DisposableStack();
    cleanUp.defer(() => receiver.close().closeAllConnections());
    const rules = join(folder.path, 'rules.yaml');
    const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    // More alerts than the alert book has room for.
    const many = Array.from(
      { length: 60 },
      (_, i) => `  - { name: many-${i}, when: 'message:flood', alert: true }\n`,
    );
    writeFileSync(
      rules,
      `rules:\n  - { name: failed, when: 'level:error', webhook: '${webhook}' }\n${many.join('')}`,
    );
    await using stack = await startStack({ only: ['redis'], secured: true });
    const certificate = { cert: join(folder.path, 'client.pem'), key: join(folder.path, 'client.key') };
    const issue = async (days: number): Promise<void> => {
      const { cert, key } = await stack.security!.issue(`client-of-${days}-days`, {
        days,
        subject: `/CN=${stack.security!.user}`,
      });
      copyFileSync(key, certificate.key);
      copyFileSync(cert, certificate.cert);
    };
    const hasRedis = stack.missing.redis === undefined;
    if (hasRedis) await issue(30);
    const syslogPort = await freePort();
    await using pipeline = await Pipeline.create({
      ...(hasRedis && {
        ...stack.env,
        REDIS_TLS_CERT_FILE: certificate.cert,
        REDIS_TLS_KEY_FILE: certificate.key,
      }),
      CORRELATION_IDLE_MS: '500',
      CORRELATION_RULES: rules,
      ALERT_BOOK_BYTES: '65536',
      LIVE_WORKERS: '2',
      LIVE_WORKER_FROZEN_MS: '600000',
      LIVE_BUFFER_BYTES: '65536',
      API_THREADS: '1',
      ...closedPorts,
      SYSLOG_PORT: String(syslogPort),
    });
    await pipeline.start();
    const workers = (): number[] =>
      spawnSync('pgrep', ['-P', String(pipeline.pid)], { encoding: 'utf8' })
        .stdout.trim()
        .split('\n')
        .map(Number);
    assert.equal(workers().length, 2);
    await using prometheus = await PrometheusServer.start(new URL(pipeline.viewersUrl).host);
    await using always = new AsyncDisposableStack();
    always.use(await Viewer.open(pipeline.viewersUrl, ''));
    always.use(keepDoing(() => pipeline.ingest(eventLines(5, 'shop'))));

    await t.test('a worker that is killed', async () => {
      await firesDuring(prometheus, ['LogloomWorkerRestarts'], () => {
        process.kill(workers()[0]!, 'SIGKILL');
      });
    });

    await t.test('workers that get no CPU', async () => {
      await firesDuring(prometheus, ['LogloomSentAge', 'LogloomViewerAgeBudget'], (faults) => {
        faults.use(holdUp(workers, 8_000, 2_000));
      });
    });

    await t.test('viewers that do not read', async () => {
      await firesDuring(prometheus, ['LogloomViewersMissEvents'], (faults) => {
        faults.use(keepDoing(() => pipeline.ingest(eventLines(200, 'shop', 8_000))));
        for (let i = 0; i < 5; i++)
          faults.use(
            keepDoing(async (signal) => {
              const socket = new WebSocket(`${pipeline.viewersUrl.replace('http', 'ws')}/live`, {
                perMessageDeflate: false,
              });
              try {
                socket.on('error', () => undefined);
                await once(socket, 'open', { signal });
                socket.send('{"type":"subscribe","id":"a"}');
                await once(socket, 'message', { signal });
                socket.pause();
                await sleep(30_000, undefined, { signal });
              } finally {
                socket.terminate();
              }
            }),
          );
      });
    });

    await t.test('more searches than are answered', async () => {
      await firesDuring(prometheus, ['LogloomApiOverloaded', 'LogloomApiErrorBudget'], (faults) => {
        const search = async (signal: AbortSignal): Promise<void> => {
          const response = await fetch(`${pipeline.viewersUrl}/api/search?q=message:m*`, { signal });
          await response.body?.cancel();
        };
        // One address may have 50 that wait.
        for (let i = 0; i < 80; i++) faults.use(keepDoing(search, 100));
      });
    });

    await t.test('a webhook that refuses alerts', async () => {
      await firesDuring(prometheus, ['LogloomWebhooksFailing', 'LogloomJobsFailing'], (faults) => {
        webhookStatus = 400;
        faults.defer(() => void (webhookStatus = 200));
        const failure = (): string =>
          `{"level":"error","message":"failed","traceId":"${crypto.randomUUID()}"}`;
        faults.use(keepDoing(() => pipeline.ingest(failure())));
      });
    });

    await t.test('more alerts than are followed', async () => {
      await firesDuring(prometheus, ['LogloomAlertsDropped'], (faults) => {
        const flood = (): string => `{"message":"flood","traceId":"${crypto.randomUUID()}"}`;
        faults.use(keepDoing(() => pipeline.ingest(flood())));
      });
    });

    await t.test('more datagrams than are read', async () => {
      await firesDuring(prometheus, ['LogloomSyslogDatagramsLost'], (faults) => {
        const socket = createSocket('udp4');
        faults.defer(() => void socket.close());
        const datagram = Buffer.from(`<14>1 - host app - - - ${'x'.repeat(1_300)}`);
        faults.use(holdUp(() => [pipeline.pid!], 500, 1_500));
        faults.use(
          keepDoing(async () => {
            for (let i = 0; i < 1_000; i++) socket.send(datagram, syslogPort, '127.0.0.1');
          }, 100),
        );
      });
    });

    await t.test('a certificate that expires within two weeks', async (t) => {
      if (!hasRedis) return t.skip(stack.missing.redis);
      await firesDuring(prometheus, ['LogloomCertificateExpires'], async (faults) => {
        await issue(7);
        faults.defer(() => issue(30));
      });
    });
  },
);
