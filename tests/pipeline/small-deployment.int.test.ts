import { closedPorts, eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LiveClient } from '@logloom/viewer';
import yaml from 'yaml';
import { PortPool } from '../../infra/local/port-pool.ts';
import { Pipeline } from './pipeline.ts';
import { SmallCgroup } from './small-cgroup.ts';

const run = promisify(execFile);
const skip = process.env['LOGLOOM_FULL'] === '1' ? false : 'about ten minutes: LOGLOOM_FULL=1 runs it';
/** Others' requests are answered within so long while an attack continues. */
const maxAnswerMs = 2000;

interface Small {
  services: {
    logloom: { environment: Record<string, string>; deploy: { resources: { limits: { memory: string } } } };
  };
}

const small = yaml.parse(
  readFileSync(join(import.meta.dirname, '../../infra/compose/compose.small.yaml'), 'utf8'),
) as Small;

/** What the image itself puts into the environment. */
function imageEnvironment(): Record<string, string> {
  const dockerfile = readFileSync(join(import.meta.dirname, '../../infra/compose/Dockerfile'), 'utf8');
  const [, assignments = ''] = /^ENV (.+)$/m.exec(dockerfile)!;
  return Object.fromEntries(assignments.split(' ').map((each) => each.split('=') as [string, string]));
}

/** The environment as Docker Compose makes it where nothing is set. */
function substituted(environment: Record<string, string>): Record<string, string> {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.map(([name, text]) => [name, text.replace(/\$\{\w+:-([^}]*)\}/g, '$1')]));
}

/** Normal use: an event, a search and a look at readiness again and again, each timed; and what was acknowledged. */
class NormalUse {
  readonly acknowledged: number[] = [];
  refused = 0;
  slowest = { ms: 0, what: '' };
  readonly failures = new Map<string, number>();
  readonly #pipeline: Pipeline;
  readonly #stop = new AbortController();
  readonly #done: Promise<unknown>;
  #next = 0;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
    this.#done = Promise.all([
      this.#loop(50, () => this.#send()),
      this.#loop(250, () => this.#get('/api/search?q=service:normal&limit=10')),
      this.#loop(250, () => this.#get('/health/ready')),
    ]);
  }

  takeSlowest(): { ms: number; what: string } {
    const { slowest } = this;
    this.slowest = { ms: 0, what: '' };
    return slowest;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #loop(everyMs: number, work: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await work();
      await sleep(everyMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  async #timed(what: string, ask: () => Promise<Response>): Promise<number> {
    const startedAt = performance.now();
    let status = 0;
    try {
      const response = await ask();
      await response.arrayBuffer();
      status = response.status;
    } catch (error) {
      this.failures.set(`${what}: ${String((error as Error).cause ?? error)}`, 1);
    }
    const ms = performance.now() - startedAt;
    if (ms > this.slowest.ms) this.slowest = { ms: Math.round(ms), what };
    if (status !== 200)
      this.failures.set(`${what} ${status}`, (this.failures.get(`${what} ${status}`) ?? 0) + 1);
    return status;
  }

  async #send(): Promise<void> {
    const n = this.#next++;
    // Four events a request, so that the documents say something.
    const id = Math.floor(n / 4);
    const line = JSON.stringify({ service: 'normal', message: `normal ${n}`, traceId: `normal-${id}`, n });
    const status = await this.#timed('send', () => this.#pipeline.ingest(line));
    if (status === 200) this.acknowledged.push(n);
    else this.refused++;
  }

  async #get(path: string): Promise<void> {
    await this.#timed(path, () => fetch(this.#pipeline.viewersUrl + path));
  }
}

/** The lag of each consumer that has one. */
async function lags(pipeline: Pipeline): Promise<string> {
  interface Consumer {
    group: string;
    topic: string;
    lag: number;
  }
  const { consumers } = await pipeline.get<{ consumers: Consumer[] }>('/api/status');
  // Normal use continues: a handful of events is always on its way.
  const behind = consumers.filter(({ lag }) => lag > 100);
  return behind.map(({ group, topic, lag }) => `${group} ${topic} ${lag}`).join(', ');
}

test(
  'a deployment of the small compose file in 2 GB outlives every flood, and others are served meanwhile',
  { skip },
  async (t) => {
    const { environment, deploy } = small.services.logloom;
    assert.equal(deploy.resources.limits.memory, '2g');
    const ports = new PortPool();
    t.after(() => ports.release());
    const syslogPort = await ports.take();
    await using cgroup = new SmallCgroup(`logloom-small-${process.pid}`, 2 * 2 ** 30);
    await using pipeline = await Pipeline.create(
      {
        ...imageEnvironment(),
        ...substituted(environment),
        HOST: '127.0.0.1',
        ...closedPorts,
        SYSLOG_PORT: String(syslogPort),
      },
      (program) => cgroup.command(program),
    );
    await pipeline.start();
    const seen = new Map<number, number>();
    let missed = 0;
    const client = new LiveClient({ url: new URL('/live', pipeline.viewersUrl.replace('http', 'ws')) });
    const subscribed = Promise.withResolvers<void>();
    client.subscribe(
      { filter: 'service:normal', stream: 'events', from: 'now' },
      {
        onItems: (items) => {
          for (const { attributes } of items as { attributes: { n: number } }[])
            seen.set(attributes.n, (seen.get(attributes.n) ?? 0) + 1);
        },
        onGap: (gap) => (missed += gap.missed),
        onSubscribed: () => subscribed.resolve(),
        onError: (error) => t.diagnostic(`live: ${error.message}`),
      },
    );
    client.connect();
    t.after(() => client.close());
    // What is sent before "now" is neither seen nor announced as missed.
    await subscribed.promise;
    const use = new NormalUse(pipeline);
    await sleep(3000);
    use.takeSlowest();

    /** An attack begins once the views hold what the last one left: else nobody would know whose doing a delay is. */
    const settled = async (name: string): Promise<void> => {
      const startedAt = performance.now();
      try {
        await eventually('every consumer at the end', async () => (await lags(pipeline)) === '', 300_000);
      } catch (error) {
        t.diagnostic(`${name}: still behind: ${await lags(pipeline)}; ${pipeline.errors.slice(-3000)}`);
        throw error;
      }
      t.diagnostic(`${name}: indexed after ${Math.round((performance.now() - startedAt) / 1000)} s`);
    };

    const attack = async (name: string): Promise<void> => {
      const args = [
        join(import.meta.dirname, 'attack.child.ts'),
        name,
        pipeline.ingestUrl,
        pipeline.viewersUrl,
      ];
      const { stdout } = await run(process.execPath, [...args, String(syslogPort)], { timeout: 300_000 });
      await sleep(2000);
      const { ms, what } = use.takeSlowest();
      t.diagnostic(
        `${name}: ${stdout.trim()}; slowest answer to others ${ms} ms (${what}), peak ${Math.round(cgroup.peak / 2 ** 20)} MiB, failures ${JSON.stringify([...use.failures])}`,
      );
      use.failures.clear();
      await settled(name);
      assert.ok(pipeline.isRunning, `${name}: it exited: ${pipeline.errors.slice(-2000)}`);
      assert.ok(ms <= maxAnswerMs, `${name}: ${what} took ${ms} ms`);
    };
    const names = [
      'distinct ids',
      'arrays of ones',
      'large pages',
      'durable names',
      'searches that nobody waits for',
      'saved filters',
      'a flooding viewer',
      'refused upgrades',
      'bodies that never end',
      'polls',
      'silent syslog connections',
    ];
    for (const name of names) await t.test(name, () => attack(name));

    await t.test('an honest syslog sender gets through beside silent ones', async () => {
      const child = attack('silent syslog connections');
      await sleep(6000);
      const socket = connect(syslogPort, '127.0.0.1');
      socket.on('error', () => {});
      socket.end('<14>1 2026-11-27T12:00:00Z host honest - - - through\n');
      await child;
      await eventually('the line of syslog', async () => {
        const { total } = await pipeline.get<{ total: { value: number } }>(
          '/api/search?q=service:honest&limit=1',
        );
        return total.value === 1;
      });
    });

    await t.test('nothing that was acknowledged is lost or doubled, also after kill -9', async () => {
      await use.stop();
      await pipeline.untilDone();
      await pipeline.end('SIGKILL');
      await pipeline.start();
      await pipeline.untilDone();
      const found = new Map<number, number>();
      let cursor: string | undefined;
      do {
        const page = await pipeline.get<{ events: { attributes: { n: number } }[]; next?: string }>(
          `/api/search?q=service:normal&limit=1000&order=asc${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        for (const { attributes } of page.events) found.set(attributes.n, (found.get(attributes.n) ?? 0) + 1);
        cursor = page.next;
      } while (cursor !== undefined);
      for (const n of use.acknowledged) assert.equal(found.get(n), 1, `event ${n} in search`);
      assert.ok(use.acknowledged.length > 1000);
      for (const [n, times] of seen) assert.equal(times, 1, `event ${n} live`);
      const live = use.acknowledged.filter((n) => seen.has(n)).length;
      assert.equal(live + missed, found.size, 'what the viewer did not get was announced');
      t.diagnostic(
        `${use.acknowledged.length} acknowledged, ${use.refused} refused, ${live} live, ${missed} announced as missed`,
      );
    });
  },
);
