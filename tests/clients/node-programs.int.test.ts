import { eventually, freePort } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cachedFolder } from '../../infra/local/cache.ts';
import { defaultCacheDir } from '../../infra/local/environment.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import { findAll } from './lines.ts';

const run = promisify(execFile);
const folder = join(import.meta.dirname, 'node');
const program = join(folder, 'send.js');
const count = 1000;
const full = { skip: process.env['LOGLOOM_FULL'] === '1' ? false : 'takes minutes; LOGLOOM_FULL=1 runs it' };

/** The clients, installed once from the lock file beside the program and then kept. */
async function install(signal: AbortSignal): Promise<string> {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  return cachedFolder(defaultCacheDir, 'node-clients', [lock], signal, async (target) => {
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(join(folder, name), join(target, name));
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: target, signal });
  });
}

test(
  `${count} lines of each client have all their fields; acknowledged ones survive a kill`,
  full,
  async (t) => {
    const installed = await install(t.signal);
    const [grpc, forward] = [await freePort(), await freePort()];
    await using pipeline = await Pipeline.create({
      CORRELATION_IDLE_MS: '500',
      OTLP_GRPC_PORT: String(grpc),
      FORWARD_PORT: String(forward),
    });
    await pipeline.start();
    const send = async (client: string, address: string, service: string): Promise<void> => {
      await run(process.execPath, [program, client, address, String(count), service], { cwd: installed });
    };
    const check = async (service: string, host: string | undefined, mayRepeat = false): Promise<void> => {
      await eventually(`each line of ${service}`, async () => {
        const found = await findAll(pipeline, service);
        return new Set(found.map(({ message }) => message)).size === count;
      });
      const found = await findAll(pipeline, service);
      if (!mayRepeat) assert.equal(found.length, count);
      for (const event of found) {
        const i = Number(/^line (\d+)$/.exec(event.message)![1]);
        assert.equal(event.level, ['debug', 'info', 'warn', 'error'][i % 4]);
        assert.equal(event.traceId, `${'ab'.repeat(12)}${(i + 1).toString(16).padStart(8, '0')}`);
        assert.equal(event.correlationId, event.traceId);
        assert.equal(event.host, host);
      }
    };
    const http = pipeline.ingestUrl;
    const clients: [client: string, address: string, host: string | undefined][] = [
      ['winston-elasticsearch', http, undefined],
      ['pino-elasticsearch', http, 'h1'],
      ['pino-loki', http, 'h1'],
      ['otlp-grpc', `http://127.0.0.1:${grpc}`, 'h1'],
      ['fluent-logger', `127.0.0.1:${forward}`, 'h1'],
    ];
    for (const [client, address, host] of clients)
      await t.test(client, async () => {
        await send(client, address, client);
        await check(client, host);
      });
    await t.test('fluent-logger, with a kill on the way', async () => {
      await pipeline.end('SIGKILL');
      const sending = send('fluent-logger', `127.0.0.1:${forward}`, 'fluent-killed');
      await pipeline.start();
      await pipeline.end('SIGKILL');
      await pipeline.start();
      await sending;
      await check('fluent-killed', 'h1', true);
    });
  },
);
