import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The folders of the packages that are published, relative to `root`. */
export function clientFolders(root: string): string[] {
  return globSync('clients/*/package.json', { cwd: root }).map(dirname).sort();
}

/** Packs each client into `destination`, as `npm publish` would. Returns the names of the archives. */
export async function packClients(root: string, destination: string): Promise<string[]> {
  mkdirSync(destination, { recursive: true });
  for (const client of clientFolders(root))
    await run('npm', ['pack', '--pack-destination', destination], { cwd: join(root, client) });
  return readdirSync(destination).filter((name) => name.endsWith('.tgz'));
}
