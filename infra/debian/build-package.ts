import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlFile, debianVersion } from './control-file.ts';
import { installed, type Architecture } from './layout.ts';
import { normalizeTree } from './normalize-tree.ts';
import { stagePackage } from './stage-package.ts';

export interface BuildOptions {
  architecture: Architecture;
  /** Appended to the version, so that one commit after another can be installed; empty for a release. */
  build: string;
  /** The folder that gets the package. */
  out: string;
  /** The time of everything in the package. The same sources and the same time make the same bytes. */
  date: Date;
  compression: 'xz' | 'none';
}

export interface BuiltPackage {
  path: string;
  version: string;
  bytes: number;
  installedKib: number;
}

const scripts = ['postinst', 'prerm', 'postrm'];

/** Builds the package from the files of the repository in `root` that git knows. Throws when npm or dpkg-deb fails. */
export function buildPackage(root: string, options: BuildOptions): BuiltPackage {
  const { version: source } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const version = debianVersion(source, options.build);
  const path = join(options.out, `logloom_${version}_${options.architecture}.deb`);
  const folder = mkdtempSync(join(tmpdir(), 'logloom-debian-'));
  try {
    stagePackage(root, folder, options.architecture, options.date);
    const tree = normalizeTree(folder, options.date, {
      executable: [installed.node, installed.command],
      hidden: ['/etc/logloom', installed.settings],
    });
    writeControl(folder, tree.files, controlFile({ ...options, version, installedKib: tree.installedKib }));
    mkdirSync(options.out, { recursive: true });
    pack(folder, path, options);
    return { path, version, bytes: statSync(path).size, installedKib: tree.installedKib };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** DEBIAN: what dpkg reads, and is not installed. */
function writeControl(folder: string, files: readonly string[], control: string): void {
  const put = (name: string, content: string, mode = 0o644): void => {
    writeFileSync(join(folder, 'DEBIAN', name), content);
    chmodSync(join(folder, 'DEBIAN', name), mode);
  };
  mkdirSync(join(folder, 'DEBIAN'));
  chmodSync(join(folder, 'DEBIAN'), 0o755);
  put('control', control);
  put('conffiles', `${installed.settings}\n`);
  // dpkg keeps the checksums of conffiles itself.
  const sums = files
    .filter((file) => `/${file}` !== installed.settings)
    .map(
      (file) =>
        `${createHash('md5')
          .update(readFileSync(join(folder, file)))
          .digest('hex')}  ${file}\n`,
    );
  put('md5sums', sums.join(''));
  for (const name of scripts)
    put(name, readFileSync(join(import.meta.dirname, 'scripts', name), 'utf8'), 0o755);
}

function pack(folder: string, path: string, { date, compression }: BuildOptions): void {
  // The number of threads would decide where xz begins a block, where memory is short.
  const flags = ['--root-owner-group', '--threads-max=1', `-Z${compression}`];
  execFileSync('dpkg-deb', [...flags, '--build', folder, path], {
    env: { PATH: '/usr/bin:/bin', SOURCE_DATE_EPOCH: String(date.getTime() / 1000) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
