import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../../infra/local/start-stack.ts';
import { loadTraffic } from '../pipeline/traffic.ts';
import { acceptedLines, assertDelivered, assertDrained } from '../production/assert-exact.ts';
import { serviceNames, Services, type ServiceName } from '../production/services.ts';
import { SteadyTraffic } from '../production/steady-traffic.ts';
import { Viewer } from '../production/viewer.ts';
import { checkOut, whyMissing } from './old-release.ts';

/** The build before this one. Nothing was released before. */
const commit = '71a760d';
const missing = whyMissing(commit);
const skip = process.env['LOGLOOM_FULL'] === '1' ? (missing ?? false) : 'set LOGLOOM_FULL=1';
const eventsPerSecond = 200;
const betweenMs = 3000;
const present = join(import.meta.dirname, '../..');

test(
  `services of commit ${commit} replaced one by one under traffic, back, and forth again: every event in every view, once`,
  { skip },
  async (t) => {
    await using stack = await startStack({ only: ['kafka', 'schema-registry'] });
    const lacking = Object.values(stack.missing)[0];
    if (lacking !== undefined) return t.skip(lacking);
    using folder = temporaryFolder('mixed-versions');
    const old = join(folder.path, 'old');
    checkOut(commit, old);
    const links = join(folder.path, 'links');
    mkdirSync(links);
    const lead = (service: ServiceName, to: string): void => {
      rmSync(join(links, service), { force: true });
      symlinkSync(to, join(links, service));
    };
    for (const service of serviceNames) lead(service, old);
    await using services = await Services.start(
      stack,
      {
        LOG_PARTITIONS: '3',
        CORRELATION_IDLE_MS: '15000',
        CORRELATION_MAX_MS: '120000',
        CORRELATION_GRACE_MS: '120000',
        LIVE_DRAIN_MS: '1000',
        LIVE_BUFFER_BYTES: String(64 * 2 ** 20),
      },
      {},
      (service) => join(links, service),
    );
    /** Ends the service by TERM and starts it from the other sources. */
    const replace = async (service: ServiceName, by: string): Promise<void> => {
      const isPresent = realpathSync(join(links, service)) === realpathSync(present);
      await services.of(service).kill('SIGTERM');
      // The fan-out of the old build ended with exit code 1 while events came.
      if (isPresent) assert.equal(await services.of(service).ended, 'exit code 0', service);
      lead(service, by);
      await services.of(service).start();
      await sleep(betweenMs);
    };
    try {
      await using viewer = await Viewer.open(services.liveUrl, '*');
      await using sending = new SteadyTraffic(services.ingestUrl, loadTraffic().lines, eventsPerSecond);
      await sleep(betweenMs);
      // Writers first, then readers; back in the opposite order.
      for (const service of serviceNames) await replace(service, present);
      // The present correlator's algorithm is in the log by now: the old one would stop (docs/upgrading.md).
      const back = serviceNames.toReversed().filter((service) => service !== 'correlator');
      for (const service of back) await replace(service, old);
      for (const service of back) await replace(service, present);
      const lines = acceptedLines(await sending.stop());
      t.diagnostic(JSON.stringify(await assertDelivered(services, viewer, lines)));
      await assertDrained(services);
    } catch (error) {
      t.diagnostic(services.logs);
      throw error;
    }
  },
);
