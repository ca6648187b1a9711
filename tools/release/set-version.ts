import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  version?: string;
  workspaces?: string[];
  [key: string]: unknown;
}

const dependencyKinds = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

/**
 * Sets one version in every manifest of the repository, in the lockfile, in the tags of Logloom's image, in the description of the API
 * and in the Helm charts, if there are any. Returns the files that change, relative to `root`. With `dryRun` nothing is written.
 */
export function setVersion(root: string, version: string, { dryRun }: { dryRun: boolean }): string[] {
  const changed: string[] = [];
  const edit = (file: string, change: (text: string) => string): void => {
    const path = join(root, file);
    const before = readFileSync(path, 'utf8');
    const after = change(before);
    if (after === before) return;
    changed.push(file);
    if (!dryRun) writeFileSync(path, after);
  };
  for (const file of manifestsOf(root)) edit(file, (text) => json(text, (it) => setIn(it, version)));
  edit('package-lock.json', (text) => json(text, (lock) => setInLock(lock, version)));
  for (const file of globSync('infra/**/{Dockerfile,*.yaml,*.yml}', { cwd: root }).sort())
    edit(file, (text) => text.replaceAll(/\blogloom:\d+\.\d+\.\d+[\w.+-]*/g, `logloom:${version}`));
  edit('docs/api/openapi.yaml', (text) => text.replace(/^(  version:) .*$/m, `$1 ${version}`));
  for (const file of globSync('infra/**/Chart.yaml', { cwd: root }).sort())
    edit(file, (text) => text.replaceAll(/^(version|appVersion):.*$/gm, (_, key) => `${key}: ${version}`));
  return changed;
}

/** Every package of the repository: the root's, and those of its workspaces. */
export function manifestsOf(root: string): string[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const inWorkspaces = (workspaces ?? []).flatMap((pattern) =>
    globSync(`${pattern}/package.json`, { cwd: root }),
  );
  return ['package.json', ...inWorkspaces.sort()].filter((file) => existsSync(join(root, file)));
}

function json(text: string, change: (value: Manifest) => void): string {
  const value = JSON.parse(text) as Manifest;
  change(value);
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The package's own version, and those of Logloom's packages that it depends on, which are exact. */
function setIn(manifest: Manifest, version: string): void {
  manifest.version = version;
  for (const kind of dependencyKinds) {
    const dependencies = (manifest[kind] ?? {}) as Record<string, string>;
    for (const name of Object.keys(dependencies))
      if (name.startsWith('@logloom/')) dependencies[name] = version;
  }
}

function setInLock(lock: Manifest, version: string): void {
  lock.version = version;
  for (const [path, entry] of Object.entries(lock['packages'] as Record<string, Manifest>))
    if (!path.includes('node_modules/')) setIn(entry, version);
}
