import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  name: string;
  workspaces?: string[];
  dependencies?: Record<string, string>;
}

/** Git's files of the repository, sorted: what is ignored or not added is in no package. */
export function repositoryFiles(root: string): string[] {
  const listed = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return listed.split('\n').filter((file) => file !== '');
}

/** The folders of the workspaces that the command line and the services need, by what their manifests declare. */
export function productWorkspaces(root: string, files: readonly string[]): string[] {
  const folders = new Map<string, string>();
  for (const file of files.filter((path) =>
    /^(apps|clients|libs|services)\/[^/]+\/package\.json$/.test(path),
  ))
    folders.set(manifestOf(root, file).name, file.slice(0, -'/package.json'.length));
  const needed = new Set<string>();
  const add = (name: string): void => {
    const folder = folders.get(name);
    if (folder === undefined || needed.has(folder)) return;
    needed.add(folder);
    Object.keys(manifestOf(root, `${folder}/package.json`).dependencies ?? {}).forEach(add);
  };
  add('@logloom/logloom-app');
  return [...needed].sort();
}

/** What of the repository runs: the sources of `workspaces` without tests, and the description of the API, which /api/docs shows. */
export function productFiles(files: readonly string[], workspaces: readonly string[]): string[] {
  return files.filter(
    (file) =>
      file === 'package.json' ||
      file.startsWith('docs/api/') ||
      (workspaces.some((folder) => file.startsWith(`${folder}/`)) &&
        !/\.(test|child|contract)\.ts$|\/testing\/|\.md$/.test(file)),
  );
}

function manifestOf(root: string, file: string): Manifest {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest;
}
