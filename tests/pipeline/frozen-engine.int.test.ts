import { closedPorts, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

test(
  'TERM ends the one-process mode also while an engine does not answer',
  { skip: process.env['LOGLOOM_FULL'] === '1' ? false : 'waits for 20 s; LOGLOOM_FULL=1', timeout: 120_000 },
  async () => {
    using folder = temporaryFolder('frozen-engine');
    const frozen = createServer(() => {});
    frozen.listen(0, '127.0.0.1');
    await once(frozen, 'listening');
    const { port } = frozen.address() as AddressInfo;
    const env = {
      ...process.env,
      KAFKA_BROKERS: `127.0.0.1:${port}`,
      LOGLOOM_DATA: folder.path,
      LIVE_DRAIN_MS: '100',
      ...closedPorts,
      INGEST_PORT: '0',
      LIVE_PORT: '0',
    };
    const child = spawn(process.execPath, [main, 'up'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      let errors = '';
      child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
      await Promise.race([once(frozen, 'connection'), once(child, 'exit')]);
      assert.equal(child.exitCode, null, errors);
      child.kill('SIGTERM');
      await once(child, 'exit');
      assert.match(errors, /logloom up: not drained after 20100 ms/);
    } finally {
      child.kill('SIGKILL');
      frozen.close();
    }
  },
);
