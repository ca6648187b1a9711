import { hideSecrets, SettingsError } from '@logloom/settings';
import { addBackupCommands } from './commands/backup-cli.ts';
import { addCanaryCommand } from './commands/canary-cli.ts';
import { addConfigCommand } from './commands/config-cli.ts';
import { allSettings, describeSettings, loadSettings, type Settings } from './settings.ts';
import { escapeControls } from '@logloom/telemetry/escape-controls';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { colors as pc } from './output/colors.ts';
import { CommandError } from './commands/command-errors.ts';
import { getJson, ingestKey, ingestUrl, viewersEndpoint } from './commands/endpoint.ts';
import { eventLine, type EventJson } from './output/event-line.ts';
import { addJobCommands } from './commands/jobs-cli.ts';
import type { Highlights } from './output/mark-ranges.ts';
import { addReplayCommands } from './commands/replay-cli.ts';
import { requestLines, type RequestJson } from './output/request-lines.ts';
import { addRulesCommands } from './commands/rules-cli.ts';
import { addSendCommand } from './commands/send-cli.ts';
import type { SendResult } from './send/send-batches.ts';
import { statusLines, type Status } from './output/status-lines.ts';
import type { TailOptions } from './commands/tail.ts';
import { version } from './version.ts';
import { addDrainCommand } from './commands/drain-cli.ts';
import { addViewersCommand } from './commands/viewers-cli.ts';

export interface CliContext {
  env: NodeJS.ProcessEnv;
  /** Aborts at SIGINT and SIGTERM. */
  signal: AbortSignal;
  write: (line: string) => void;
  note: (line: string) => void;
}

interface DemoFlags {
  rate: number;
  seconds: number;
  seed: number;
  ingestUrl?: string;
  key?: string;
  json: boolean;
}

interface SearchPage {
  total: { value: number };
  events: EventJson[];
  highlights?: Record<string, Highlights>;
  next?: string;
}

const exitCodes = `
Exit codes: 0 success; 1 nothing was found, or lines were rejected; 2 the command failed.`;

/**
 * The command line. Each command's action throws CommandError or SettingsError for problems that a user can fix, and loads only the code
 * that it needs.
 */
export function createCli({ env, signal, write, note }: CliContext): Command {
  const settings = (): Settings => loadSettings(env);
  const viewers = new Option(
    '--url <url>',
    "the viewers' port of a running Logloom (default: HOST and LIVE_PORT)",
  );
  const token = new Option(
    '--token <token>',
    'token for a Logloom that requires one (default: LOGLOOM_TOKEN, which other users cannot see in ps)',
  );
  const ingest = new Option(
    '--ingest-url <url>',
    'the ingest port of a running Logloom (default: HOST and INGEST_PORT)',
  );
  const key = new Option(
    '--key <key>',
    'key for a Logloom that requires one (default: LOGLOOM_KEY, which other users cannot see in ps)',
  );
  const json = new Option('--json', 'JSON, one object per line, for scripts').default(false);
  const print = (asJson: boolean, value: unknown, lines: () => string[]): void => {
    if (asJson) write(JSON.stringify(value));
    else lines().forEach(write);
  };
  const report = (result: SendResult, asJson: boolean): void => {
    print(asJson, result, () => [
      `${result.accepted} accepted, ${result.rejected} rejected`,
      ...result.reasons.map((reason) => pc.yellow(escapeControls(reason))),
    ]);
    if (result.rejected > 0) throw new CommandError('problems-found', '');
  };

  const program = new Command('logloom')
    .description('Live, correlated log events: ingest, group by request, search, archive and watch.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', exitCodes + settingsHelp())
    .configureHelp({ showGlobalOptions: true })
    // Each command inherits it: a wrong option exits with 2, not with the 1 of "nothing found".
    .exitOverride();

  program
    .command('up')
    .description('run the whole pipeline in this process')
    .addHelpText('after', settingsHelp())
    .action(async () => {
      const { up } = await import('./up/up.ts');
      await up(settings(), env, signal, ({ ingest, syslog, viewers, dataFolder }) => {
        write(`${pc.bold('Logloom')} is ready.`);
        write(`  watch   ${pc.cyan(viewers)}`);
        write(`  send    ${pc.cyan(`${ingest}/ingest`)}   or: npm run logloom -- demo`);
        if (syslog !== undefined) write(`  syslog  ${pc.cyan(syslog)}   TCP and UDP`);
        write(`  data    ${dataFolder}   (Ctrl-C stops; start again and everything is still there)`);
      });
    });

  addSendCommand(program, {
    env,
    signal,
    note,
    ingestUrl: (given) => ingestUrl(settings(), given),
    ingestKey: (given) => ingestKey(settings(), given),
    ingest,
    key,
    json,
    report,
  });

  program
    .command('demo')
    .description('send the traffic of a simulated shop: several services, slow and failing requests, retries')
    .option('--rate <events>', 'events per second', positive, 50)
    .option('--seconds <n>', 'duration in seconds; without it, until Ctrl-C', positive, Infinity)
    .addOption(
      new Option('--seed <n>', 'equal seeds make equal requests')
        .argParser(positive)
        .default(Date.now() % 1_000_000, 'another at each start'),
    )
    .addOption(ingest)
    .addOption(key)
    .addOption(json)
    .action(async (options: DemoFlags) => {
      const url = ingestUrl(settings(), options.ingestUrl);
      const key = ingestKey(settings(), options.key);
      if (!options.json) note(`sending about ${options.rate} events a second to ${url}; Ctrl-C stops`);
      const { demoBatches } = await import('./demo/demo.ts');
      const { sendBatches } = await import('./send/send-batches.ts');
      const onProgress = progress(options.json ? () => {} : note);
      report(await sendBatches(demoBatches(options, signal), { url, key, onProgress }), options.json);
    });

  program
    .command('tail')
    .description(
      'watch events that match a filter live; resumes where it stopped when the connection is lost',
    )
    .argument('[filter]', 'Lucene syntax, e.g. level:>=warn AND service:pay*', '')
    .option('--requests', 'watch requests (correlations) instead of events', false)
    .option('-n, --lines <n>', 'start with the last n that match', count)
    .option('--last <time>', 'start with those of the last 5m, 1h, ...')
    .option('--cursor <cursor>', 'start after this cursor')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (filter: string, options: TailFlags) => {
      const target = {
        ...viewersEndpoint(settings(), options),
        filter,
        stream: options.requests ? 'correlations' : 'events',
      } as const;
      const { json } = options;
      const { tail } = await import('./commands/tail.ts');
      await tail({ ...target, from: startOf(options), json, write, note }, signal);
    });

  program
    .command('search')
    .description('search what was indexed')
    .argument('[filter]', 'Lucene syntax', '')
    .option('--from <time>', 'RFC 3339, epoch ms, or now-15m')
    .option('--to <time>', 'in the same forms; exclusive')
    .option('--limit <n>', 'number of events', positive, 50)
    .addOption(
      new Option('--order <order>', 'oldest or newest first').choices(['asc', 'desc']).default('desc'),
    )
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (filter: string, options: SearchFlags) => {
      const endpoint = viewersEndpoint(settings(), options);
      let cursor: string | undefined;
      let total = 0;
      for (let left = options.limit; left > 0;) {
        const page = (await getJson(endpoint, '/api/search', {
          q: filter,
          from: options.from,
          to: options.to,
          order: options.order,
          limit: String(Math.min(left, 1000)),
          cursor,
          // Only a terminal can show it.
          highlight: !options.json && pc.isColorSupported ? 'true' : undefined,
        })) as SearchPage;
        for (const event of page.events)
          write(options.json ? JSON.stringify(event) : eventLine(event, page.highlights?.[event.id]));
        total = page.total.value;
        left -= page.events.length;
        cursor = page.next;
        if (cursor === undefined || page.events.length === 0) break;
      }
      if (!options.json) note(pc.dim(`${total} found`));
      if (total === 0) throw new CommandError('nothing-found', '');
    });

  program
    .command('correlation')
    .description('show a request: its document and its events in time order')
    .argument('<id>', "the document's id, or the request's own id")
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (id: string, options: ViewersFlags) => {
      const endpoint = viewersEndpoint(settings(), options);
      const found = (await getJson(endpoint, `/api/correlations/${encodeURIComponent(id)}`)) as RequestJson;
      print(options.json, found, () => requestLines(found));
    });

  program
    .command('status')
    .description('show the lag of each consumer, and counts')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (options: ViewersFlags) => {
      const status = (await getJson(viewersEndpoint(settings(), options), '/api/status')) as Status;
      print(options.json, status, () => statusLines(status));
    });

  program
    .command('loadtest')
    .description('let many viewers watch a running Logloom, send events, and count what each viewer gets')
    .argument(
      '[filter]',
      "filter that they watch; without it, the load test's own events, each of which is checked",
    )
    .option('--viewers <n>', 'number of viewers', positive, 100)
    .option('--rate <events>', 'events per second to send; 0: send none, count what others send', count, 100)
    .option('--seconds <n>', 'duration in seconds', positive, 10)
    .addOption(viewers)
    .addOption(token)
    .addOption(ingest)
    .addOption(key)
    .addOption(json)
    .addHelpText(
      'after',
      '\nExit code 1 when a viewer was refused, lost its connection, missed an event or got one twice.',
    )
    .action(async (filter: string | undefined, options: LoadtestFlags) => {
      const { isClean, loadtest, loadtestLines } = await import('./loadtest/loadtest.ts');
      const result = await loadtest(
        {
          ...viewersEndpoint(settings(), options),
          ingestUrl: ingestUrl(settings(), options.ingestUrl),
          ingestKey: ingestKey(settings(), options.key),
          viewers: Math.ceil(options.viewers),
          filter,
          rate: options.rate,
          seconds: options.seconds,
          note: options.json ? () => {} : note,
        },
        signal,
      );
      print(options.json, result, () => loadtestLines(result));
      if (!isClean(result)) throw new CommandError('problems-found', '');
    });

  addViewersCommand(program, {
    endpoint: (flags) => viewersEndpoint(settings(), flags),
    viewers,
    token,
    json,
    write,
  });
  addDrainCommand(program, {
    endpoint: (flags) => viewersEndpoint(settings(), flags),
    viewers,
    token,
    json,
    signal,
    write,
  });
  addCanaryCommand(program, { env });
  addReplayCommands(program, { settings, signal, write });
  addConfigCommand(program, { env, write });
  addBackupCommands(program, { settings, json, signal, write, note });
  addRulesCommands(program, { settings, write, note });
  addJobCommands(program, {
    settings,
    endpoint: (flags) => viewersEndpoint(settings(), flags),
    viewers,
    token,
    json,
    signal,
    write,
    note,
  });

  return program;
}

interface ViewersFlags {
  url?: string;
  token?: string;
  json: boolean;
}

interface SearchFlags extends ViewersFlags {
  from?: string;
  to?: string;
  limit: number;
  order: string;
}

interface TailFlags extends ViewersFlags {
  requests: boolean;
  lines?: number;
  last?: string;
  cursor?: string;
}

interface LoadtestFlags extends ViewersFlags {
  viewers: number;
  rate: number;
  seconds: number;
  ingestUrl?: string;
  key?: string;
}

function startOf({ lines, last, cursor }: TailFlags): TailOptions['from'] {
  if (cursor !== undefined) return { cursor };
  if (last !== undefined) return { last };
  return lines === undefined ? 'now' : { tail: lines };
}

function settingsHelp(): string {
  const rows = describeSettings().map(
    ({ name, default: value, bounds, description }) =>
      `  ${name.padEnd(25)} ${description}${bounds === undefined ? '' : ` [${bounds}]`}${value === undefined ? '' : ` (${value})`}`,
  );
  return `\nSettings, from the environment or a .env file:\n${rows.join('\n')}\n  OTEL_*                    the standard OpenTelemetry settings`;
}

/** Prints the progress, at most once a second. */
function progress(note: (line: string) => void): (sent: SendResult) => void {
  let last = Date.now();
  return ({ accepted, rejected }) => {
    if (Date.now() - last < 1000) return;
    last = Date.now();
    note(`${accepted} accepted${rejected > 0 ? `, ${rejected} rejected` : ''}`);
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number');
  return value;
}

/** The exit code for a command's error, and the message for the user; secrets in `env` stay hidden. */
export function explain(error: unknown, env: NodeJS.ProcessEnv): { exitCode: number; message: string } {
  const { exitCode, message } = explainOpenly(error);
  return { exitCode, message: hideSecrets(message, allSettings.secretsGiven(env)) };
}

function explainOpenly(error: unknown): { exitCode: number; message: string } {
  // commander has written its own message; help and version are not failures.
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2, message: '' };
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof SettingsError) return { exitCode: 2, message: error.message };
  const { code, message, stack } = error as Error & { code?: string };
  // Errors with a code explain themselves; others are faults of Logloom.
  return { exitCode: 2, message: code === undefined ? (stack ?? message) : message };
}
