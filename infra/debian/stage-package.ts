import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { manualPage } from '../../tools/docs/manual-page.ts';
import { placeUnit } from '../systemd/place-unit.ts';
import { copyrightFile } from './copyright-file.ts';
import { architectures, installed, type Architecture } from './layout.ts';
import { productFiles, productWorkspaces, repositoryFiles } from './product-files.ts';

const ours = import.meta.dirname;

/** Writes everything that the package installs below `folder`, as it is below / later. `date` is that of the build. */
export function stagePackage(root: string, folder: string, architecture: Architecture, date: Date): void {
  const put = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const files = repositoryFiles(root);

  const logloom = join(folder, installed.logloom);
  installDependencies(root, logloom, files, architecture);
  const node = join(logloom, 'node_modules', architectures[architecture].nodePackage);
  put(`${installed.documentation}/copyright`, copyrightFile(logloom, read('LICENSE'), node));
  mkdirSync(join(logloom, 'bin'));
  copyFileSync(join(node, 'bin/node'), join(logloom, 'bin/node'));
  rmSync(node, { recursive: true });

  for (const file of productFiles(files, productWorkspaces(root, files)))
    cpSync(join(root, file), join(logloom, file));
  put(`${installed.logloom}/defaults.env`, readFileSync(join(ours, 'files/defaults.env')));
  put(installed.command, readFileSync(join(ours, 'files/logloom')));
  put(installed.settings, readFileSync(join(ours, 'files/logloom.env')));
  put(installed.overrides, readFileSync(join(ours, 'files/lintian-overrides')));

  for (const unit of ['logloom.service', 'logloom@.service'])
    put(`${installed.units}/${unit}`, placeUnit(read(`infra/systemd/${unit}`), installed));
  put(installed.sysusers, read('infra/systemd/logloom.sysusers.conf'));

  put(installed.manual, gzipSync(manualPage(date), { level: 9 }));
  put(`${installed.documentation}/changelog.gz`, gzipSync(read('CHANGELOG.md'), { level: 9 }));
  // Under their paths in the repository, so that the links between them lead somewhere.
  for (const file of files.filter((path) => /^(README|docs\/.*|infra\/systemd\/README)\.md$/.test(path)))
    put(`${installed.documentation}/${file}`, read(file));
}

/** Installs into `folder` what the lockfile says for production and this architecture; no script of a package runs. */
function installDependencies(
  root: string,
  folder: string,
  files: readonly string[],
  architecture: Architecture,
): void {
  const manifests = files.filter((file) =>
    /^((apps|clients|libs|services)\/[^/]+\/)?package\.json$/.test(file),
  );
  for (const file of [...manifests, 'package-lock.json', '.npmrc']) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
  }
  const platform = ['--os=linux', `--cpu=${architectures[architecture].cpu}`, '--libc=glibc'];
  const chosen = ['--workspace=@logloom/logloom-app', '--include-workspace-root', '--omit=dev'];
  execFileSync(
    'npm',
    ['ci', '--ignore-scripts', '--prefer-offline', '--loglevel=error', ...platform, ...chosen],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const workspaces = productWorkspaces(root, files);
  for (const file of manifests.filter((path) => path !== 'package.json')) {
    const workspace = dirname(file);
    if (workspaces.includes(workspace)) continue;
    rmSync(join(folder, workspace), { recursive: true });
    const { name } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { name: string };
    rmSync(join(folder, 'node_modules', name), { force: true });
  }
  for (const file of ['package-lock.json', '.npmrc', 'node_modules/.bin', 'node_modules/.package-lock.json'])
    rmSync(join(folder, file), { recursive: true, force: true });
  removeUnused(folder);
}

/** Types, source maps, pages, tools' settings and modules for musl: nothing reads them at run time. Licences go into the copyright file. */
function removeUnused(folder: string): void {
  const unused = ['*.map', '*.d.ts', '*.d.mts', '*.d.cts', '*.md', '*.markdown', '.*', '*.musl.node'];
  const names = unused.flatMap((pattern, index) => [...(index === 0 ? [] : ['-o']), '-name', pattern]);
  const kept = ['!', '-iname', 'licen[cs]e*', '!', '-iname', 'copying*', '!', '-iname', 'notice*'];
  execFileSync('find', [join(folder, 'node_modules'), '-type', 'f', '(', ...names, ')', ...kept, '-delete']);
}
