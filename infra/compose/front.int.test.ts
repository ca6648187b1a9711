import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import yaml from 'yaml';
import { Pipeline } from '../../tests/pipeline/pipeline.ts';
import { PortPool } from '../local/port-pool.ts';

const skip =
  spawnSync('nginx', ['-v']).error === undefined
    ? false
    : 'engine missing: nginx (apt-get install nginx-light)';

/** The front with its configuration and its mounts as compose has them, before a Logloom that stands for both services. */
class Front implements AsyncDisposable {
  readonly url: string;
  readonly #folder: string;
  readonly #child: ReturnType<typeof spawn>;

  constructor(port: number, upstream: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = temporaryFolder('front').path;
    const { services } = yaml.parse(readFileSync(join(import.meta.dirname, 'compose.yaml'), 'utf8'), {
      merge: true,
      maxAliasCount: -1,
    }) as { services: { front: { volumes: string[] } } };
    for (const volume of services.front.volumes) {
      const [from = '', to = ''] = volume.split(':');
      mkdirSync(join(this.#folder, to, '..'), { recursive: true });
      cpSync(join(import.meta.dirname, from), join(this.#folder, to), { recursive: true });
    }
    const conf = join(this.#folder, 'etc/nginx/conf.d/default.conf');
    const site = readFileSync(conf, 'utf8')
      .replace('listen 8080;', `listen 127.0.0.1:${port};`)
      .replace(/^ *resolver .*$/m, '')
      .replace('root /srv', `root ${this.#folder}/srv`)
      .replaceAll(/http:\/\/(fanout|indexer):\d+/g, upstream);
    writeFileSync(conf, site);
    const types = 'types { text/html html; text/css css; text/javascript js; image/svg+xml svg; }';
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${this.#folder}/${name};`)
      .join(' ');
    writeFileSync(
      join(this.#folder, 'nginx.conf'),
      `daemon off; user root; pid ${this.#folder}/pid; error_log stderr; events {} http { ${types} ${temp} access_log off; include ${conf}; }`,
    );
    this.#child = spawn('nginx', ['-c', join(this.#folder, 'nginx.conf'), '-e', 'stderr'], {
      stdio: 'inherit',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

test('the console and the live tier work behind the reverse proxy', { skip }, async (t) => {
  const ports = new PortPool();
  t.after(() => ports.release());
  await using pipeline = await Pipeline.create();
  await pipeline.start();
  await using front = new Front(await ports.take(), pipeline.viewersUrl);
  await eventually('nginx listens', async () => (await fetch(front.url)).ok);

  await t.test('every file that the page loads is there, as in the one-process mode', async () => {
    const seen = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const [behind, direct] = await Promise.all([
        fetch(front.url + path),
        fetch(pipeline.viewersUrl + path),
      ]);
      const text = await behind.text();
      assert.deepEqual([path, behind.status, text], [path, 200, await direct.text()]);
      const header = 'content-security-policy';
      assert.equal(behind.headers.get(header), direct.headers.get(header), path);
      for (const [, next] of text.matchAll(/(?:\bfrom |\bimport |\bsrc=|\bhref=)["']([^"'#:]+)["']/g))
        await visit(new URL(next!, front.url + path).pathname);
    };
    await visit('/');
    assert.ok(
      [...seen].some((path) => path.startsWith('/viewer/src/')),
      'the SDK is among them',
    );
    assert.equal((await fetch(`${front.url}/viewer/src/live-client.int.test.ts`)).status, 404);
  });

  await t.test('the description of the API passes, as a page and as JSON', async () => {
    for (const path of ['/api/docs', '/api/openapi.json']) {
      const [behind, direct] = await Promise.all([
        fetch(front.url + path),
        fetch(pipeline.viewersUrl + path),
      ]);
      assert.equal(behind.status, 200, path);
      assert.equal(await behind.text(), await direct.text(), path);
      for (const header of ['content-type', 'content-security-policy'])
        assert.equal(behind.headers.get(header), direct.headers.get(header), `${path} ${header}`);
    }
  });

  await t.test('every way to watch passes', async () => {
    const poll = await fetch(`${front.url}/live/poll?wait=1`);
    assert.equal(poll.status, 200);
    const durable = await fetch(`${front.url}/live/durable`);
    assert.deepEqual(await durable.json(), { durable: [] });
    const sse = await fetch(`${front.url}/live/sse`);
    assert.match(sse.headers.get('content-type')!, /^text\/event-stream/);
    await sse.body!.cancel();
    const ws = new WebSocket(`${front.url.replace('http', 'ws')}/live`, 'logloom.v1');
    const [message] = (await once(ws, 'message')) as [Buffer];
    assert.equal((JSON.parse(message.toString()) as { type: string }).type, 'hello');
    ws.close();
    assert.equal((await fetch(`${front.url}/api/status`)).status, 200);
  });
});
