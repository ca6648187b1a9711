import { spawnSync } from 'node:child_process';
import type { GoTool } from '../../local/go-tool.ts';

export interface Places {
  port: number;
  /** Where the proxy may write, and where its certificate is. */
  folder: string;
}

/** A proxy that the examples are for: how to run its example as it stands, and how to reload it. */
export interface ProxyKind {
  name: string;
  /** The example's files, below infra/proxy: the one that the program is given, and what that one reads. */
  examples: readonly [string, ...string[]];
  /** Where the program comes from. */
  from: { debian: string } | { go: GoTool };
  args: (configuration: string) => string[];
  /** What the example needs besides other ports, paths and certificates: the same text in each place. */
  adapt: (text: string, places: Places) => string;
  /** Enables the example's lines for the PROXY protocol, from 127.0.0.1; not given where Debian's version does not know it. */
  acceptProxyProtocol?: (text: string) => string;
  /** The response to paths that only operators inside reach. */
  refusal: 403 | 404;
  reload: (pid: number, configuration: string, port: number) => Promise<void>;
}

/** Undefined if a test may start the proxy, else why it is skipped. */
export function whyMissing({ name, from }: Pick<ProxyKind, 'name' | 'from'>): string | undefined {
  if ('go' in from)
    // eslint-disable-next-line no-restricted-syntax -- which tests run is not a setting of a service
    return process.env['LOGLOOM_FULL'] === '1'
      ? undefined
      : `builds ${name}, minutes: LOGLOOM_FULL=1 runs it`;
  return spawnSync(name, ['-v']).error === undefined
    ? undefined
    : `engine missing: ${name} (apt-get install ${from.debian})`;
}
