import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cachedFolder, cachedPath } from './cache.ts';
import { defaultCacheDir } from './environment.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';
import { runCommand } from './run-command.ts';
import { oldestGo, versions } from './versions.ts';

interface GoPackage {
  module: string;
  /** Below the module's folder; empty: the folder itself. */
  folder: string;
  /** The module replaces others, which `go install` refuses: it is built in its own folder. */
  replacesModules?: boolean;
  /** The module is Kubernetes', which replaces its parts by folders that its download lacks: they are modules of their own, 0.x.y for its 1.x.y. */
  hasStaging?: boolean;
}

const packages = {
  helm: { module: 'helm.sh/helm/v4', folder: 'cmd/helm' },
  kubeconform: { module: 'github.com/yannh/kubeconform', folder: 'cmd/kubeconform' },
  traefik: { module: 'github.com/traefik/traefik/v3', folder: 'cmd/traefik', replacesModules: true },
  'kube-apiserver': { module: 'k8s.io/kubernetes', folder: 'cmd/kube-apiserver', hasStaging: true },
  'oauth2-proxy': { module: 'github.com/oauth2-proxy/oauth2-proxy/v7', folder: '' },
} as const satisfies Record<string, GoPackage>;

export type GoTool = keyof typeof packages;

/**
 * The path of that program, built from its Go module once and then kept in the cache; the modules and objects that it was built of are
 * not. Throws MissingPrerequisite when there is no Go that is new enough.
 */
export async function goTool(tool: GoTool, signal: AbortSignal, cacheDir = defaultCacheDir): Promise<string> {
  const { module, folder: main, replacesModules, hasStaging }: GoPackage = packages[tool];
  const version = versions[tool];
  const path = join(module, main);
  const folder = await cachedFolder(cacheDir, ...cacheKey(tool), signal, async (folder) => {
    const go = await findGo(tool);
    const work = join(folder, 'work');
    await mkdir(work);
    const env = [`GOBIN=${folder}`, `GOMODCACHE=${work}/mod`, `GOCACHE=${work}/objects`, 'CGO_ENABLED=0'];
    const flags = ['-modcacherw', '-trimpath', '-ldflags=-s -w'];
    let build = ['install', ...flags, `${path}@v${version}`];
    if (replacesModules === true || hasStaging === true) {
      const source = await download(go, module, version, `${work}/mod`, signal);
      if (hasStaging === true) {
        writeFileSync(join(work, 'go.mod'), withPublishedParts(source, module, version));
        const stamp = `-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v${version}`;
        build = ['-C', work, 'install', '-mod=mod', ...flags, stamp, path];
      } else build = ['-C', source, 'install', ...flags, `./${main}`];
    }
    // Whoever builds it has tests or work beside it.
    await runCommand('nice', ['-n', '15', 'env', ...env, go, ...build], signal);
    await rm(work, { recursive: true, force: true });
  });
  return join(folder, tool);
}

/** The path of that program if it is in the cache already: of one that takes too long to be built by whoever asks. */
export function builtGoTool(tool: GoTool, cacheDir = defaultCacheDir): string | undefined {
  const path = join(cachedPath(cacheDir, ...cacheKey(tool)), tool);
  return existsSync(path) ? path : undefined;
}

function cacheKey(tool: GoTool): [name: string, inputs: readonly string[]] {
  const { module, folder } = packages[tool];
  return [`${tool}-${versions[tool]}`, [join(module, folder)]];
}

/** A go.mod that requires Kubernetes, with what that replaces by folders replaced by the published modules of the same release. */
function withPublishedParts(source: string, module: string, version: string): string {
  const lines = readFileSync(join(source, 'go.mod'), 'utf8').split('\n');
  const published = `v${version.replace(/^1\./, '0.')}`;
  const replaced = lines.flatMap((line) => {
    const part = /^\s*(\S+) => \.\/staging\//.exec(line)?.[1];
    return part === undefined ? [] : [`replace ${part} => ${part} ${published}`];
  });
  const kept = lines.filter((line) => /^(go|godebug) /.test(line));
  return ['module build', ...kept, `require ${module} v${version}`, ...replaced, ''].join('\n');
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
      const source = await download(go, module, version, work, signal);
      for (const file of globSync(files, { cwd: source })) {
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await runCommand('cp', [join(source, file), join(folder, file)], signal);
      }
      await rm(work, { recursive: true, force: true });
    },
  );
}

/** Downloads a module into that folder of modules; returns its own folder. */
async function download(
  go: string,
  module: string,
  version: string,
  modules: string,
  signal: AbortSignal,
): Promise<string> {
  const env = [`GOMODCACHE=${modules}`, 'GOFLAGS=-modcacherw'];
  const args = [...env, go, 'mod', 'download', '-json', `${module}@v${version}`];
  const printed = await runCommand('env', args, signal);
  return (JSON.parse(printed.slice(printed.indexOf('{'))) as { Dir: string }).Dir;
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
