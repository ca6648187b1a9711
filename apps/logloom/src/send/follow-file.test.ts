import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { appendFileSync, renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileFollower } from './follow-file.ts';
import type { SentEvent } from './event-body.ts';
import type { FilePlace } from './send-position.ts';

const deadlineMs = 60_000;

class Following {
  readonly folder = temporaryFolder('follow').path;
  readonly path = join(this.folder, 'app.log');
  readonly notes: string[] = [];
  place: FilePlace | undefined;
  follower = this.start();

  start(fromEnd = false): FileFollower {
    const note = (line: string): void => void this.notes.push(line);
    return (this.follower = new FileFollower(this.path, {
      format: { service: 's' },
      from: this.place,
      fromEnd,
      note,
    }));
  }

  /** The messages of the next `count` events. */
  async next(count: number): Promise<string[]> {
    const events: SentEvent[] = [];
    for (const deadline = Date.now() + deadlineMs; events.length < count; await sleep(5)) {
      assert.ok(Date.now() < deadline, `only ${events.length} of ${count}`);
      events.push(...(await this.follower.poll()));
    }
    this.place = events.at(-1)!.place;
    return events.map(({ body }) => (JSON.parse(String(body)) as { message: string }).message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.follower.close();
    rmSync(this.folder, { recursive: true });
  }
}

test('lines are taken when they are whole, a stack trace when nothing more of it comes', async () => {
  await using f = new Following();
  assert.deepEqual(await f.follower.poll(), []);
  writeFileSync(f.path, 'a\nb\nunfin');
  assert.deepEqual(await f.next(2), ['a', 'b']);
  appendFileSync(f.path, 'ished\n\tat x\n\tat y\nc\n');
  assert.deepEqual(await f.next(2), ['unfinished\n\tat x\n\tat y', 'c']);
});

test('rotation, twice while nobody looks; truncation; a new file of the name', async () => {
  await using f = new Following();
  writeFileSync(f.path, 'a\n');
  assert.deepEqual(await f.next(1), ['a']);
  appendFileSync(f.path, 'b\n');
  renameSync(f.path, `${f.path}.1`);
  writeFileSync(f.path, 'c\n');
  renameSync(`${f.path}.1`, `${f.path}.2`);
  renameSync(f.path, `${f.path}.1`);
  writeFileSync(f.path, 'd\n');
  appendFileSync(`${f.path}.2`, 'late, and without an end');
  assert.deepEqual(await f.next(4), ['b', 'late, and without an end', 'c', 'd']);
  truncateSync(f.path);
  await f.follower.poll();
  appendFileSync(f.path, 'e\n');
  assert.deepEqual(await f.next(1), ['e']);
  // Longer than before by the time that it is looked at: only its beginning tells.
  writeFileSync(f.path, 'quite another text\n');
  assert.deepEqual(await f.next(1), ['quite another text']);
  assert.match(f.notes.join(), /was overwritten/);
  unlinkSync(f.path);
  await f.follower.poll();
  writeFileSync(f.path, 'f\n');
  assert.deepEqual(await f.next(1), ['f']);
});

test('a restart continues: in the same file, in one that was rotated away, in a new one', async () => {
  await using f = new Following();
  const restart = async (fromEnd = false): Promise<void> => {
    await f.follower.close();
    f.start(fromEnd);
  };
  writeFileSync(f.path, 'a\nb\n');
  assert.deepEqual(await f.next(2), ['a', 'b']);
  appendFileSync(f.path, 'c\n');
  await restart();
  assert.deepEqual(await f.next(1), ['c']);
  await f.follower.close();
  appendFileSync(f.path, 'd\n');
  renameSync(f.path, `${f.path}.1`);
  writeFileSync(f.path, 'e\n');
  await restart();
  assert.deepEqual(await f.next(2), ['d', 'e']);
  await f.follower.close();
  unlinkSync(f.path);
  writeFileSync(f.path, 'begins anew\n');
  await restart();
  assert.deepEqual(await f.next(1), ['begins anew']);
  assert.match(f.notes.join(), /is gone; reading|truncated/);
  f.place = undefined;
  await restart(true);
  await f.follower.poll();
  appendFileSync(f.path, 'g\n');
  assert.deepEqual(await f.next(1), ['g']);
});

test('UTF-16 is refused: its lines have no end that could be found', async () => {
  await using f = new Following();
  writeFileSync(f.path, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a\n', 'utf16le')]));
  await assert.rejects(f.follower.poll(), /is UTF-16/);
});
