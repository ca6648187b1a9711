import { escapeControls } from '@logloom/telemetry/escape-controls';
import { Option } from 'commander';
import { colors as pc } from '../output/colors.ts';
import type { SendResult } from '../send/send-batches.ts';
import { loadSettings, type Settings } from '../settings.ts';
import { CommandError } from './command-errors.ts';
import { ingestKey, ingestUrl, viewersEndpoint, type ViewersEndpoint } from './endpoint.ts';

/** The surroundings of the command line. */
export interface CliContext {
  env: NodeJS.ProcessEnv;
  /** Aborts at SIGINT and SIGTERM. */
  signal: AbortSignal;
  write: (line: string) => void;
  note: (line: string) => void;
}

/** What a command for the viewers' port may be given. */
export interface ViewersFlags {
  url?: string;
  token?: string;
  json: boolean;
}

/** What the commands share: their surroundings, the settings, and the options that several of them have. */
export interface CommandContext extends CliContext {
  /** Throws SettingsError. */
  settings: () => Settings;
  /** The viewers' port by the settings, unless the flags give it. */
  endpoint: (flags: { url?: string; token?: string }) => ViewersEndpoint;
  /** The ingest port: that of the settings, unless it is given. */
  ingestUrl: (given: string | undefined) => string;
  /** The key for it: that of the settings, unless it is given. */
  ingestKey: (given: string | undefined) => string | undefined;
  viewers: Option;
  token: Option;
  ingest: Option;
  key: Option;
  json: Option;
  print: (asJson: boolean, value: unknown, lines: () => string[]) => void;
  /** Prints what was sent; throws CommandError `problems-found` if lines were rejected or files are damaged. */
  report: (result: SendResult, asJson: boolean) => void;
}

export function createCommandContext(context: CliContext): CommandContext {
  const { env, write } = context;
  const settings = (): Settings => loadSettings(env);
  const print: CommandContext['print'] = (asJson, value, lines) => {
    if (asJson) write(JSON.stringify(value));
    else lines().forEach(write);
  };
  return {
    ...context,
    settings,
    endpoint: (flags) => viewersEndpoint(settings(), flags),
    ingestUrl: (given) => ingestUrl(settings(), given),
    ingestKey: (given) => ingestKey(settings(), given),
    viewers: new Option(
      '--url <url>',
      "the viewers' port of a running Logloom (default: HOST and LIVE_PORT)",
    ),
    token: new Option(
      '--token <token>',
      'token for a Logloom that requires one (default: LOGLOOM_TOKEN, which other users cannot see in ps)',
    ),
    ingest: new Option(
      '--ingest-url <url>',
      'the ingest port of a running Logloom (default: HOST and INGEST_PORT)',
    ),
    key: new Option(
      '--key <key>',
      'key for a Logloom that requires one (default: LOGLOOM_KEY, which other users cannot see in ps)',
    ),
    json: new Option('--json', 'JSON, one object per line, for scripts').default(false),
    print,
    report: (result, asJson) => {
      print(asJson, result, () => [
        `${result.accepted} accepted, ${result.rejected} rejected`,
        ...result.reasons.map((reason) => pc.yellow(escapeControls(reason))),
      ]);
      if (result.rejected > 0 || result.damaged !== undefined) throw new CommandError('problems-found', '');
    },
  };
}
