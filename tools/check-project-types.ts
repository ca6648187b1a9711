/** `node tools/check-project-types.ts libs/filter`: type-checks one project. `npm run typecheck` checks all of them in one program. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const project = process.argv[2] ?? '';
const cache = join(root, 'node_modules/.cache/tsc');
const name = project.replaceAll('/', '-');
// Not a file beside the sources: editors and the lint shall see one program, not one for each project.
const config = {
  extends: '../../../tsconfig.base.json',
  compilerOptions: { incremental: true, tsBuildInfoFile: `./${name}.tsbuildinfo` },
  include: [`../../../${project}`],
  exclude: ['../../../**/node_modules', '../../../apps/console/src/page'],
};
mkdirSync(cache, { recursive: true });
writeFileSync(join(cache, `${name}.json`), JSON.stringify(config));
const configs = [join(cache, `${name}.json`)];
if (project === 'apps/console') configs.push(join(root, 'apps/console/tsconfig.page.json'));
for (const file of configs) {
  const { status } = spawnSync('tsc', ['-p', file], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
