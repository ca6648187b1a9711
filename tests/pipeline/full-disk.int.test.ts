import { eventually, temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from './pipeline.ts';

/** The disk stays full for so long: leases run out and jobs fall due meanwhile. */
const fullMs = process.env['LOGLOOM_FULL'] === '1' ? 30_000 : 8_000;
const diskMiB = 96;
const main = join(import.meta.dirname, '../../apps/logloom/src/main.ts');

/** A small disk of its own under a folder; undefined where this user may not mount. */
function mountDisk(folder: string): (Disposable & { remount: (how: string) => void }) | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'logloom-test', folder], {
      stdio: 'pipe',
    });
  } catch {
    return undefined;
  }
  return {
    remount: (how) => void execFileSync('mount', ['-o', `remount,${how}`, folder]),
    [Symbol.dispose]: () => void execFileSync('umount', ['-l', folder]),
  };
}

/** Takes all the room that is left; returns what removes it again. */
function fill(folder: string): () => void {
  const path = join(folder, 'ballast');
  const file = openSync(path, 'w');
  for (const size of [2 ** 20, 4096]) {
    try {
      for (;;) if (writeSync(file, Buffer.alloc(size)) < size) break;
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  closeSync(file);
  return () => rmSync(path);
}

function temporaryFile(): Disposable & { path: string } {
  const folder = temporaryFolder('followed').path;
  return { path: join(folder, 'app.log'), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

/** Follows a file with its position on the small disk. */
function follow(pipeline: Pipeline, path: string) {
  const position = join(pipeline.dataFolder, 'send.json');
  const flags = [
    '--follow',
    '--position',
    position,
    '--service',
    'followed',
    '--ingest-url',
    pipeline.ingestUrl,
  ];
  const child = spawn(process.execPath, [main, 'send', ...flags, path], { stdio: 'ignore' });
  return {
    position,
    get exitCode() {
      return child.exitCode;
    },
    end: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

/** What a start that fails says. */
function startInVain({ env }: Pipeline): string {
  const { status, stderr } = spawnSync(process.execPath, [main, 'up'], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 2, stderr);
  return stderr;
}

test('a disk that is full for a while: senders are told, nothing acknowledged is lost, all continues by itself', async (t) => {
  await using pipeline = await Pipeline.create({ CORRELATION_IDLE_MS: '1000', CORRELATION_GRACE_MS: '500' });
  const mounted = mountDisk(pipeline.dataFolder);
  if (mounted === undefined) return t.skip('this user may not mount a file system');
  using disk = mounted;
  await pipeline.start();
  let acknowledged = 0;
  let next = 0;
  const refused = new Set<string>();
  const stop = new AbortController();
  const traffic = (async () => {
    while (!stop.signal.aborted) {
      const lines = Array.from({ length: 20 }, () =>
        JSON.stringify({ message: `event ${next++}`, service: 'disk', traceId: `trace-${next % 50}` }),
      );
      const answer = await pipeline.ingest(lines.join('\n'));
      const body = (await answer.json()) as { accepted?: number; error?: { code: string } };
      if (answer.status === 200) acknowledged += body.accepted!;
      else {
        assert.equal(answer.status, 503);
        assert.ok(Number(answer.headers.get('retry-after')) > 0);
        refused.add(body.error!.code);
      }
      await sleep(20);
    }
  })();
  traffic.catch(() => {});
  using elsewhere = temporaryFile();
  using follower = follow(pipeline, elsewhere.path);
  let written = 0;
  const write = (): void => appendFileSync(elsewhere.path, `followed ${written++}\n`);
  for (let n = 0; n < 50; n++) write();
  const ready = async (): Promise<[number, string]> => {
    const answer = await fetch(`${pipeline.viewersUrl}/health/ready`);
    return [answer.status, await answer.text()];
  };
  await eventually('some events', async () => acknowledged > 200);
  await eventually('the follower has begun', async () => existsSync(follower.position));
  const makeRoom = fill(pipeline.dataFolder);
  for (let n = 0; n < 50; n++) write();
  await eventually('refused', async () => refused.has('disk-full'));
  await eventually('not ready', async () => {
    const [status, text] = await ready();
    return status === 503 && text.includes('disk-full') && text.includes(pipeline.dataFolder);
  });
  await sleep(fullMs);
  assert.equal(follower.exitCode, null);
  write();
  assert.ok(pipeline.isRunning, pipeline.errors);
  assert.equal((await ready())[0], 503);
  makeRoom();
  await eventually('ready again', async () => (await ready())[0] === 200);
  const before = acknowledged;
  await eventually('events again', async () => acknowledged > before + 200);
  stop.abort();
  await traffic;
  const followed = async (): Promise<number> =>
    (await pipeline.get<{ total: { value: number } }>('/api/search?q=service:followed&limit=1')).total.value;
  await eventually('each line that was followed', async () => (await followed()) >= written);
  assert.deepEqual([...refused], ['disk-full']);
  await pipeline.untilDone();
  const { total } = await pipeline.get<{ total: { value: number } }>('/api/search?q=service:disk&limit=1');
  assert.equal(total.value, acknowledged);
  assert.equal(await followed(), written);
  await follower.end();
  let documented = 0;
  for (let next: string | null | undefined = ''; typeof next === 'string';) {
    const cursor = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
    const page: { correlations: { eventCount: number }[]; next?: string | null } = await pipeline.get(
      `/api/correlations?limit=200${cursor}`,
    );
    for (const { eventCount } of page.correlations) documented += eventCount;
    next = page.next;
  }
  // Lines of plain text have no id: they are in no document.
  assert.equal(documented, acknowledged);

  await t.test(
    'a start on a full disk, and on one that is read-only, says which file and setting',
    async () => {
      assert.equal(await pipeline.end('SIGTERM'), 0);
      const room = fill(pipeline.dataFolder);
      assert.match(startInVain(pipeline), /LOGLOOM_DATA=.*: the disk is full; make room.*\.db/);
      room();
      disk.remount('ro');
      assert.match(startInVain(pipeline), /LOGLOOM_DATA=.*: the folder is not writable/);
      disk.remount('rw');
      await pipeline.start();
    },
  );
});
