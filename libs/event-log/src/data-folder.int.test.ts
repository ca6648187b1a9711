import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lockDataFolder } from './data-folder.ts';

const root = temporaryFolder('data-folder').path;
after(() => rmSync(root, { recursive: true }));

/** Locks the folder in a process of its own, says how that went, and stays until it is killed. */
const script = `
  const { lockDataFolder } = await import(process.argv[1]);
  let lock;
  try { lock = lockDataFolder(process.argv[2]); console.log('locked'); }
  catch (error) { console.log(error.code); }
  process.stdin.resume();`;

async function lockElsewhere(folder: string): Promise<{ said: string; kill: () => Promise<void> }> {
  const module = new URL('./data-folder.ts', import.meta.url).href;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    said: said.toString().trim(),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test('a folder that this process has is in use for another, until it is released', async () => {
  const folder = join(root, 'ours');
  const lock = lockDataFolder(folder);
  const refused = await lockElsewhere(folder);
  await refused.kill();
  assert.equal(refused.said, 'data-in-use');
  lock[Symbol.dispose]();
  const taken = await lockElsewhere(folder);
  await taken.kill();
  assert.equal(taken.said, 'locked');
});

test('a folder that another process has is in use for this one, until that process is killed', async () => {
  const folder = join(root, 'theirs');
  const other = await lockElsewhere(folder);
  assert.equal(other.said, 'locked');
  assert.throws(() => lockDataFolder(folder), {
    name: 'EventLogError',
    code: 'data-in-use',
    retriable: false,
  });
  await other.kill();
  lockDataFolder(folder)[Symbol.dispose]();
});

test('a folder can be locked once within a process', () => {
  const folder = join(root, 'twice');
  const lock = lockDataFolder(folder);
  assert.throws(() => lockDataFolder(folder), { code: 'data-in-use' });
  lock[Symbol.dispose]();
  lockDataFolder(folder)[Symbol.dispose]();
});

test('a lock file that was deleted does not let a second process in', async () => {
  const folder = join(root, 'deleted');
  const other = await lockElsewhere(folder);
  assert.equal(other.said, 'locked');
  rmSync(join(folder, 'lock.db'));
  assert.throws(() => lockDataFolder(folder), { code: 'data-in-use' });
  const third = await lockElsewhere(folder);
  await third.kill();
  assert.equal(third.said, 'data-in-use');
  await other.kill();
  lockDataFolder(folder)[Symbol.dispose]();
});

test('a lock file that is no database is moved, and is not taken for one in use', () => {
  const folder = mkdtempSync(join(root, 'damaged-'));
  writeFileSync(join(folder, 'lock.db'), 'not a database, '.repeat(100));
  lockDataFolder(folder)[Symbol.dispose]();
  assert.match(readdirSync(folder).join(' '), /lock\.db\.corrupt-\d+/);
});
