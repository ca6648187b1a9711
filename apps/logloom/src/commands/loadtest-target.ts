import type { RunOptions, Scenario, TargetKind } from '@logloom/loadtest';
import type { CommandContext } from './command-context.ts';
import { CommandError } from './command-errors.ts';

export interface TargetFlags {
  target?: TargetKind;
  url?: string;
  publishUrl?: string;
  channel?: string;
  token?: string;
  ingestUrl?: string;
  key?: string;
}

/** What a scenario is run against: the flags win over the scenario, and for a Logloom both win over the settings. */
export function targetOf(
  flags: TargetFlags,
  { target }: Pick<Scenario, 'target'>,
  { endpoint, ingestUrl, ingestKey }: CommandContext,
): Pick<RunOptions, 'kind' | 'url' | 'token' | 'ingestUrl' | 'ingestKey' | 'channel'> {
  const kind = flags.target ?? target?.kind ?? 'logloom';
  const url = flags.url ?? target?.url;
  const publishUrl = flags.publishUrl ?? flags.ingestUrl ?? target?.publishUrl;
  const channel = flags.channel ?? target?.channel;
  if (kind === 'logloom')
    return {
      kind,
      ...endpoint({ ...flags, ...(url !== undefined && { url }) }),
      ingestUrl: ingestUrl(publishUrl),
      ingestKey: ingestKey(flags.key),
    };
  if (url === undefined || publishUrl === undefined)
    throw new CommandError('command-failed', `a target of the kind ${kind} needs --url and --publish-url`);
  // Tokens and keys of the settings are Logloom's.
  return { kind, url, token: flags.token, ingestUrl: publishUrl, ingestKey: flags.key, channel };
}
