/** The changelog lacks what a release needs. */
export class ChangelogError extends Error {}

/**
 * Returns the changelog with the date of the release in the heading of the version's section, `## [1.2.3] - 2026-11-27`. Throws
 * ChangelogError when there is no such section, or when it is empty.
 */
export function dateSection(changelog: string, version: string, date: string): string {
  const heading = new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\].*$`, 'm');
  const found = heading.exec(changelog);
  if (found === null) throw new ChangelogError(`CHANGELOG.md has no section ## [${version}]`);
  const behind = changelog.slice(found.index + found[0].length);
  const section = behind.split(/^## /m)[0]!;
  if (!/^- /m.test(section))
    throw new ChangelogError(`the section ## [${version}] of CHANGELOG.md lists nothing`);
  return changelog.replace(heading, `## [${version}] - ${date}`);
}
