import { existsSync, globSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { defaultCacheDir } from './environment.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { runCommand } from './run-command.ts';
import { oldestGo, versions } from './versions.ts';

const packages = {
  helm: 'helm.sh/helm/v4/cmd/helm',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform',
} as const;

export type GoTool = keyof typeof packages;

/**
 * The path of that program, built from its Go module once and then kept in the cache; the modules and objects that it was built of are
 * not. Throws MissingPrerequisite when there is no Go that is new enough.
 */
export async function goTool(tool: GoTool, signal: AbortSignal, cacheDir = defaultCacheDir): Promise<string> {
  const folder = await cachedFolder(
    cacheDir,
    `${tool}-${versions[tool]}`,
    [packages[tool]],
    signal,
    async (folder) => {
      const go = await findGo(tool);
      const work = join(folder, 'work');
      await mkdir(work);
      const env = [`GOBIN=${folder}`, `GOMODCACHE=${work}/mod`, `GOCACHE=${work}/objects`, 'CGO_ENABLED=0'];
      const build = [
        'install',
        '-modcacherw',
        '-trimpath',
        '-ldflags=-s -w',
        `${packages[tool]}@v${versions[tool]}`,
      ];
      // Whoever builds it has tests or work beside it.
      await runCommand('nice', ['-n', '15', 'env', ...env, go, ...build], signal);
      await rm(work, { recursive: true, force: true });
    },
  );
  return join(folder, tool);
}

/** The folder of a Go module's files, downloaded once and then kept: of one that has files for us, not code. Throws as goTool. */
export async function goModule(
  module: string,
  version: string,
  files: string,
  signal: AbortSignal,
  cacheDir = defaultCacheDir,
): Promise<string> {
  return cachedFolder(
    cacheDir,
    `${module.replaceAll('/', '-')}-${version}`,
    [files],
    signal,
    async (folder) => {
      const go = await findGo(module);
      const work = join(folder, 'work');
      const env = [`GOMODCACHE=${work}`, 'GOFLAGS=-modcacherw'];
      const printed = await runCommand(
        'env',
        [...env, go, 'mod', 'download', '-json', `${module}@v${version}`],
        signal,
      );
      const { Dir } = JSON.parse(printed.slice(printed.indexOf('{'))) as { Dir: string };
      for (const file of globSync(files, { cwd: Dir })) {
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await runCommand('cp', [join(Dir, file), join(folder, file)], signal);
      }
      await rm(work, { recursive: true, force: true });
    },
  );
}

async function findGo(tool: string): Promise<string> {
  const paths = ['go', '/usr/local/go/bin/go', ...globSync('/usr/lib/go-*/bin/go')].filter(
    (path) => path === 'go' || existsSync(path),
  );
  for (const path of paths) {
    const said = await runCommand(path, ['version']).catch(() => '');
    const [, major = '0', minor = '0'] = /go(\d+)\.(\d+)/.exec(said) ?? [];
    if (Number(major) === 1 && Number(minor) >= oldestGo) return path;
  }
  throw new MissingPrerequisite(tool, `Go 1.${oldestGo} or newer`, 'https://go.dev/dl');
}
