/**
 * `node infra/debian/main.ts [--architecture amd64|arm64] [--build <id>] [--out dist/packages]`: builds the Debian package of what is checked
 * out, and prints its path and size. SOURCE_DATE_EPOCH (seconds) is the time of its files; by default that of the commit.
 */
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPackage } from './build-package.ts';
import { architectures, type Architecture } from './layout.ts';

const root = join(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    architecture: { type: 'string', default: 'amd64' },
    build: { type: 'string', default: '' },
    out: { type: 'string', default: 'dist/packages' },
  },
});
if (!Object.hasOwn(architectures, values.architecture)) {
  console.error(`--architecture is one of ${Object.keys(architectures).join(', ')}`);
  process.exit(2);
}
const seconds =
  process.env['SOURCE_DATE_EPOCH'] ??
  execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
const { path, bytes, installedKib } = buildPackage(root, {
  architecture: values.architecture as Architecture,
  build: values.build,
  out: resolve(values.out),
  date: new Date(Number(seconds) * 1000),
  compression: 'xz',
});
console.log(
  `${path}: ${(bytes / 1e6).toFixed(1)} MB, ${((installedKib * 1024) / 1e6).toFixed(0)} MB installed`,
);
