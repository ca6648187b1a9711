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
  searchUrl?: string;
  syslog?: string;
  key?: string;
}

type Target = Pick<
  RunOptions,
  | 'kind'
  | 'url'
  | 'moreUrls'
  | 'searchUrl'
  | 'token'
  | 'ingestUrl'
  | 'moreIngestUrls'
  | 'ingestKey'
  | 'syslogUrl'
  | 'kafka'
  | 'channel'
>;

/** What a scenario is run against: the flags win over the scenario, and for a Logloom both win over the settings. */
export async function targetOf(
  flags: TargetFlags,
  { target, events }: Pick<Scenario, 'target'> & Partial<Pick<Scenario, 'events'>>,
  context: CommandContext,
): Promise<Target> {
  const { endpoint, ingestKey } = context;
  const kind = flags.target ?? target?.kind ?? 'logloom';
  const [url, ...moreUrls] = listOf(flags.url ?? target?.url);
  const given = flags.publishUrl ?? flags.ingestUrl ?? target?.publishUrl;
  // A command may have commas.
  const [publishUrl, ...moreIngestUrls] = given?.startsWith('stdin:') ? [given] : listOf(given);
  const channel = flags.channel ?? target?.channel;
  if (kind === 'logloom') {
    const ingestUrl = context.ingestUrl(publishUrl);
    return {
      kind,
      ...endpoint({
        ...(flags.token !== undefined && { token: flags.token }),
        ...(url !== undefined && { url }),
      }),
      moreUrls,
      searchUrl: flags.searchUrl,
      ingestUrl,
      moreIngestUrls,
      ingestKey: ingestKey(flags.key),
      syslogUrl: syslogUrl(flags.syslog, ingestUrl, context),
      ...(events?.receivers?.includes('kafka') && { kafka: await kafkaOf(context) }),
    };
  }
  if (url === undefined || publishUrl === undefined)
    throw new CommandError('command-failed', `a target of the kind ${kind} needs --url and --publish-url`);
  // Tokens and keys of the settings are Logloom's.
  return {
    kind,
    url,
    moreUrls,
    token: flags.token,
    ingestUrl: publishUrl,
    moreIngestUrls,
    ingestKey: flags.key,
    channel,
  };
}

/** Addresses that are separated by commas. */
export function listOf(urls: string | undefined): string[] {
  return urls?.split(',').map((url) => url.trim()) ?? [];
}

/** By default where ingest is, at SYSLOG_PORT; undefined: it has no syslog. */
function syslogUrl(
  given: string | undefined,
  ingestUrl: string,
  { settings }: CommandContext,
): string | undefined {
  if (given !== undefined) {
    if (!/^(\[[0-9a-f:]+\]|[^\s:[\]/]+):\d{1,5}$/i.test(given))
      throw new CommandError('command-failed', `--syslog: ${given} is not HOST:PORT`);
    return `syslog://${given}`;
  }
  const { SYSLOG_PORT } = settings();
  return SYSLOG_PORT === 0 ? undefined : `syslog://${new URL(ingestUrl).hostname}:${SYSLOG_PORT}`;
}

async function kafkaOf({ settings }: CommandContext): Promise<RunOptions['kafka']> {
  const values = settings();
  const { KAFKA_BROKERS: brokers } = values;
  if (brokers === undefined) return undefined;
  const { kafkaSecurityOf } = await import('@logloom/event-log');
  return { brokers, security: kafkaSecurityOf(values), clientId: 'logloom-loadtest' };
}
