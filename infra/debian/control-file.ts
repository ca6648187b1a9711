import type { Architecture } from './layout.ts';

/**
 * The version as Debian orders it: 1.2.3-rc.1 comes before 1.2.3, so its hyphen becomes a tilde. A `build` is appended, and comes after the
 * version without one. Throws RangeError when it has a character that Debian does not allow. Source: deb-version(7).
 */
export function debianVersion(version: string, build = ''): string {
  if (!/^[a-z0-9.]*$/i.test(build)) throw new RangeError(`a build has letters, digits and dots: ${build}`);
  return version.replace('-', '~') + (build === '' ? '' : `+${build}`);
}

/** DEBIAN/control. `installedKib` is what the files take on the disk. Source: Debian Policy, chapter 5. */
export function controlFile(fields: {
  version: string;
  architecture: Architecture;
  installedKib: number;
}): string {
  return `Package: logloom
Version: ${fields.version}
Architecture: ${fields.architecture}
Maintainer: Logloom contributors <logloom@localhost>
Installed-Size: ${fields.installedKib}
Pre-Depends: init-system-helpers (>= 1.54~)
Depends: ${[...libraries, systemUsers].join(', ')}
Section: admin
Priority: optional
Description: live, correlated log events
 Logloom takes the log events of services over HTTP, OTLP, syslog and the
 protocols of common shippers, works out which of them belong to the same
 request, makes them searchable, and streams them live to every viewer through
 the viewer's own filter.
 .
 The service logloom runs all of it in one process, with its data in
 /var/lib/logloom. The units logloom@ingest, logloom@correlator,
 logloom@indexer and logloom@fanout run the same services on Kafka,
 Elasticsearch, MongoDB and Redis. Node.js is part of the package.
`;
}

/** What Node and the native modules are linked to. The test compares it with the files. */
export const libraries = ['libc6 (>= 2.28)', 'libgcc-s1 | libgcc1', 'libstdc++6 (>= 8)'] as const;

/** As dh_installsysusers depends on it. */
const systemUsers = 'systemd | systemd-standalone-sysusers | systemd-sysusers';
