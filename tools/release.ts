/**
 * `node tools/release.ts 1.2.3 [--dry-run] [--out dist/packages]`: checks that the changelog has a section for the version and writes today's
 * date into it, sets the version in every package, the lockfile, the image's tags, the description of the API and any charts, and packs the clients into a folder.
 * It commits, tags and publishes nothing: it prints the commands that do. With --dry-run nothing is written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ChangelogError, dateSection } from './release/changelog.ts';
import { clientFolders, packClients } from './release/pack-clients.ts';
import { setVersion } from './release/set-version.ts';

const root = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'dry-run': { type: 'boolean', default: false },
    out: { type: 'string', default: 'dist/packages' },
  },
});
const [version = ''] = positionals;
const dryRun = values['dry-run'];

if (positionals.length !== 1 || !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version)) {
  console.error('usage: node tools/release.ts <version, such as 1.2.3> [--dry-run] [--out <folder>]');
  process.exit(2);
}
try {
  const changelog = join(root, 'CHANGELOG.md');
  const today = new Date().toISOString().slice(0, 10);
  const dated = dateSection(readFileSync(changelog, 'utf8'), version, today);
  if (!dryRun) writeFileSync(changelog, dated);
  const changed = setVersion(root, version, { dryRun });
  const verb = dryRun ? 'would set' : 'set';
  console.log(`${verb} ${version} in ${changed.length} files`);
  for (const file of changed) console.log(`  ${file}`);
  if (dryRun) console.log(`would pack ${clientFolders(root).join(', ')} to ${values.out}`);
  else {
    for (const name of await packClients(root, resolve(values.out)))
      console.log(`packed ${values.out}/${name}`);
    console.log(`next: npm test
      git commit -am 'Release ${version}' && git tag -a v${version} -m v${version} && git push --follow-tags
      for package in ${values.out}/*-${version}.tgz; do npm publish --access public "$package"; done`);
  }
} catch (error) {
  if (!(error instanceof ChangelogError)) throw error;
  console.error(error.message);
  process.exit(1);
}
