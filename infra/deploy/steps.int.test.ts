import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { blueGreen } from './blue-green/blue-green.ts';
import type { DeployContext } from './deploy-context.ts';
import { serviceNames, type Deployment, type ReleaseName } from './deployment.ts';
import { Instances } from './instances.ts';
import { RefusedError } from './outcome.ts';
import { ProxyFile } from './proxy-file/proxy-file.ts';
import type { Routes } from './proxy-file/routes.ts';
import { rolling } from './rolling/rolling.ts';
import type { SmokeTarget } from './smoke/smoke-test.ts';
import { StepReport } from './step-report.ts';
import { PlainNginx, whyNoNginx } from './testing/plain-nginx.ts';
import { PlainTraefik, whyNoTraefik } from './testing/plain-traefik.ts';
import { PlainReleases } from './testing/plain-releases.ts';

const skip = whyNoNginx ?? false;
type PlainProxy = Pick<PlainNginx, 'proxy' | 'public' | typeof Symbol.asyncDispose>;

/** Which release responds at each of the target's addresses. */
async function releasesAt({ ingestUrl, apiUrl, liveUrl }: SmokeTarget): Promise<string[]> {
  const urls = [`${ingestUrl}/ingest`, `${apiUrl}/api/search`, `${liveUrl}/live`];
  return Promise.all(urls.map(async (url) => (await fetch(url)).text()));
}

/** Two releases of stand-ins behind a proxy, in the place of Logloom's services. */
class StandIns implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly proofs: string[] = [];
  readonly proxy: PlainProxy;
  readonly releases: PlainReleases;
  readonly #cleanUp: AsyncDisposableStack;

  private constructor(proxy: PlainProxy, releases: PlainReleases, cleanUp: AsyncDisposableStack) {
    this.proxy = proxy;
    this.releases = releases;
    this.#cleanUp = cleanUp;
  }

  static async start(
    startProxy = (routes: Routes): Promise<PlainProxy> => PlainNginx.start(routes),
  ): Promise<StandIns> {
    await using cleanUp = new AsyncDisposableStack();
    const source = cleanUp.use(temporaryFolder('stand-ins')).path;
    for (const service of serviceNames) {
      const folder = join(source, 'services', service, 'src');
      mkdirSync(folder, { recursive: true });
      symlinkSync(join(import.meta.dirname, 'testing/stand-in.child.ts'), join(folder, 'main.ts'));
    }
    const releases = cleanUp.use(await PlainReleases.create(source));
    const { ingest, indexer, fanout } = releases.releases.blue;
    const routes = { viewers: [fanout.url!], api: [indexer.healthUrl], ingest: [ingest.url!] };
    const proxy = cleanUp.use(await startProxy(routes));
    const standIns = new StandIns(proxy, releases, cleanUp.move());
    for (const release of ['blue', 'green'] as const) {
      releases.configure(release, {});
      for (const service of serviceNames) standIns.set(release, service, {});
    }
    return standIns;
  }

  /** Settings of what is started next. */
  set(release: ReleaseName, service: (typeof serviceNames)[number], more: Record<string, string>): void {
    const { healthUrl, url } = this.releases.releases[release][service];
    this.releases.configure(`${release}-${service}`, {
      HEALTH_PORT: new URL(healthUrl).port,
      ...(url === undefined ? {} : { SERVED_PORT: new URL(url).port }),
      ...more,
    });
  }

  /** A context whose proofs compare the release that responds; `fail` is called before each. */
  context(
    more: Partial<Deployment> = {},
    fail: (proof: number) => void = () => {},
    signal = new AbortController().signal,
  ): DeployContext {
    const { proxy, public: addresses } = this.proxy;
    const deployment = this.releases.deployment({
      proxy,
      public: addresses,
      settleSeconds: 0.3,
      drainSeconds: 0.4,
      readySeconds: 60,
      ...more,
    });
    let proofs = 0;
    return {
      deployment,
      instances: new Instances(deployment, undefined),
      proxy: new ProxyFile(deployment),
      report: new StepReport((line) => this.lines.push(line), false),
      key: undefined,
      token: undefined,
      prove: async (_, next, old, target) => {
        fail(++proofs);
        // The proxy's old processes may take a moment to stop taking connections.
        await eventually('the new release responds', async () =>
          (await releasesAt(target)).every((release) => release === next[0]!.release),
        );
        this.proofs.push(`${next[0]!.release} beside ${old.length}`);
        return 'proven';
      },
      signal,
    };
  }

  get serving(): Promise<string[]> {
    const { ingestUrl, viewersUrl } = this.proxy.public;
    return releasesAt({
      ingestUrl,
      apiUrl: viewersUrl,
      liveUrl: viewersUrl,
      key: undefined,
      token: undefined,
    });
  }

  /** How the instances of a release ended. */
  exitCodes(release: ReleaseName): (number | undefined)[] {
    return serviceNames.map((service) => this.releases.exitCode(release, service));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanUp.disposeAsync();
  }
}

/** Asks through the proxy all the time, as senders and viewers do. */
class Clients implements AsyncDisposable {
  readonly responses: string[] = [];
  readonly streams: string[] = [];
  readonly #abort = new AbortController();
  readonly #done: Promise<unknown>;

  constructor({ ingestUrl, viewersUrl }: Deployment['public']) {
    this.#done = Promise.all([
      this.#ask(ingestUrl),
      this.#ask(`${viewersUrl}/api/search`),
      this.#watch(viewersUrl),
    ]);
  }

  async #ask(url: string): Promise<void> {
    while (!this.#abort.signal.aborted) {
      // A connection of its own: a proxy that reloads closes idle ones, perhaps just when a request comes.
      const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
      this.responses.push(`${response.statusCode} ${await text(response)}`);
      await sleep(5);
    }
  }

  /** A viewer that connects again when its stream ends. */
  async #watch(url: string): Promise<void> {
    while (!this.#abort.signal.aborted)
      try {
        const { body } = await fetch(`${url}/live/sse`, { signal: this.#abort.signal });
        for await (const chunk of body!.pipeThrough(new TextDecoderStream())) this.streams.push(chunk);
      } catch (error) {
        if (!this.#abort.signal.aborted) throw error;
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

const all = (release: string): string[] => [release, release, release];

async function deployUnderTraffic(
  t: TestContext,
  startProxy: (routes: Routes) => Promise<PlainProxy>,
  settings: Partial<Deployment> = {},
): Promise<void> {
  await using standIns = await StandIns.start(startProxy);
  assert.equal(await blueGreen(standIns.context(settings)), 'deployed', standIns.lines.join('\n'));
  assert.deepEqual(await standIns.serving, all('blue'));
  {
    await using clients = new Clients(standIns.proxy.public);
    await eventually('a viewer', () => clients.streams.length > 0);
    assert.equal(await blueGreen(standIns.context(settings)), 'deployed', standIns.lines.join('\n'));
    await eventually('the viewer at the new release', () => clients.streams.at(-1)!.includes('green'));
    assert.deepEqual(new Set(clients.responses), new Set(['200 blue', '200 green']));
    assert.equal(clients.streams.length, 2, 'the viewer came back once');
  }
  assert.deepEqual(await standIns.serving, all('green'));
  assert.deepEqual(standIns.exitCodes('blue'), [0, 0, 0, 0]);
  assert.deepEqual(standIns.proofs, ['blue beside 0', 'blue beside 0', 'green beside 4', 'green beside 4']);
  assert.match(
    standIns.lines.join('\n'),
    /drain blue fanout\n.* {4}done after \d+\.\d s: 1 viewers, 0 left\n/,
  );
  report(t, standIns);

  await assert.rejects(blueGreen(standIns.context(settings), 'green'), RefusedError);
}

// Most of their time is waiting.
describe('the steps of a deploy', { skip, concurrency: true }, () => {
  test('blue-green: starts, proves, switches, proves again, drains and stops; no request fails', (t) =>
    deployUnderTraffic(t, (routes) => PlainNginx.start(routes)));

  test('blue-green: what fails before, at and after the switch leads back to the old release', async (t) => {
    await using standIns = await StandIns.start();
    assert.equal(await blueGreen(standIns.context()), 'deployed', standIns.lines.join('\n'));
    const before = standIns.context().proxy.routes;
    await using clients = new Clients(standIns.proxy.public);
    const fails = async (what: string, context: DeployContext): Promise<void> => {
      assert.equal(await blueGreen(context), 'rolled-back', `${what}\n${standIns.lines.join('\n')}`);
      assert.deepEqual([what, await standIns.serving], [what, all('blue')]);
      assert.deepEqual([what, standIns.exitCodes('blue')], [what, Array(4).fill(undefined)]);
      assert.deepEqual(context.proxy.routes, before);
      for (const instance of context.deployment.instances)
        assert.equal(await context.instances.isUp(instance), instance.release === 'blue', what);
    };

    standIns.set('green', 'correlator', { NEVER_READY: 'yes' });
    await fails('a service that is never ready', standIns.context({ readySeconds: 5 }));
    assert.match(standIns.lines.join('\n'), /green correlator is not ready after 5 s: 503 .*starting/);
    standIns.set('green', 'correlator', {});

    const failAt = (at: number) => (proof: number) => {
      if (proof === at) throw new Error(`proof ${proof} fails`);
    };
    await fails('the smoke test', standIns.context({}, failAt(1)));
    await fails('the verification after the switch', standIns.context({}, failAt(2)));

    const { nginx } = standIns.proxy.proxy as { nginx: { file: string; reload: string } };
    const broken = { nginx: { file: nginx.file, reload: 'echo not today >&2; false' } };
    const interrupted = standIns.context();
    const refusing = { ...interrupted, proxy: new ProxyFile({ proxy: broken, settleSeconds: 0.1 }) };
    // Neither does the way back succeed, but the file has the old routes, and the old release serves.
    assert.equal(await blueGreen(refusing), 'rollback-failed');
    assert.match(standIns.lines.join('\n'), /not today/);
    assert.deepEqual(refusing.proxy.routes, before);

    // The new release still runs: the next deploy stops it first.
    const stop = new AbortController();
    await fails(
      'an interruption',
      standIns.context({}, () => stop.abort(new Error('interrupted')), stop.signal),
    );
    assert.match(standIns.lines.join('\n'), /stop what an earlier deploy left: green fanout/);
    assert.ok(clients.responses.length > 0);
    assert.deepEqual(
      clients.responses.filter((response) => !response.startsWith('200')),
      [],
    );
    report(t, standIns);
  });

  test('rolling: one instance after the other; a broken one ends it, and the deploy can be continued', async (t) => {
    await using standIns = await StandIns.start();
    await assert.rejects(rolling(standIns.context()), RefusedError);
    standIns.set('blue', 'indexer', { EXIT_CODE: '3' });
    assert.equal(await blueGreen(standIns.context()), 'deployed', standIns.lines.join('\n'));
    await using clients = new Clients(standIns.proxy.public);
    await eventually('a viewer', () => clients.streams.length > 0);

    standIns.set('green', 'correlator', { NEVER_READY: 'yes' });
    assert.equal(await rolling(standIns.context({ readySeconds: 5 })), 'unfinished');
    assert.match(standIns.lines.join('\n'), /blue indexer ended with exit code 3/);
    assert.deepEqual(await standIns.serving, ['blue', 'green', 'green']);
    // Fan-out and indexer are replaced, correlator and ingest are not.
    assert.deepEqual(standIns.exitCodes('blue'), [0, 3, undefined, undefined]);

    standIns.set('green', 'correlator', {});
    await assert.rejects(blueGreen(standIns.context()), /both releases serve/);
    assert.equal(await rolling(standIns.context(), 'green'), 'deployed', standIns.lines.join('\n'));
    assert.deepEqual(await standIns.serving, all('green'));
    assert.deepEqual(standIns.exitCodes('blue'), [0, 3, 0, 0]);
    assert.deepEqual(new Set(clients.responses), new Set(['200 blue', '200 green']));
    assert.equal(clients.streams.length, 2, 'the viewer came back once');

    report(t, standIns);
  });
});

test(
  'blue-green by the file of Traefik, which watches it; no request fails',
  { skip: whyNoTraefik ?? false },
  // As long as by default: Traefik holds a change back for up to two seconds.
  (t) => deployUnderTraffic(t, (routes) => PlainTraefik.start(routes), { settleSeconds: 3 }),
);

function report(t: TestContext, { lines }: StandIns): void {
  for (const line of lines) t.diagnostic(line);
}
