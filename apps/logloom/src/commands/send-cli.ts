import { InvalidArgumentError, type Command } from 'commander';
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './command-errors.ts';
import { expandPaths } from '../send/expand-paths.ts';
import { loadTimeZone } from './load-time-zone.ts';
import { loadUserFormats } from './load-user-formats.ts';
import { ProgressBar } from '../send/progress-bar.ts';
import type { CommandContext } from './command-context.ts';

interface SendFlags {
  follow: boolean;
  fromEnd: boolean;
  position?: string;
  multiline?: string | false;
  /** Unset: by what is sent. */
  backfill?: boolean;
  rate: number;
  service?: string;
  host?: string;
  attribute: Record<string, string>;
  timezone?: string;
  formats?: string;
  journal: boolean;
  unit: string[];
  since?: string;
  ingestUrl?: string;
  key?: string;
  json: boolean;
}

const help = `
Each line is read by itself: JSON, lines of containers (CRI, Docker), and plain text, of which time, level and service are read by more
than 80 layouts (docs/formats.md). The lines of a stack trace are one event. logloom formats try FILE shows it.

A folder stands for the logs in it and below, a pattern (*, ?, **, {a,b}) for the files that match. The names of Docker's and
Kubernetes' folders give service, host and pod. A damaged archive gives what can be read, and exit code 1.

Files are a backfill: the events of a request stay together although its files are sent one after another (docs/send.md). --follow
and standard input are not, unless --backfill says so.

With --position, and with --follow always, what was sent is remembered: every line is sent once, also across kill -9, and through
rotation and truncation of followed files. --follow keeps it in $XDG_STATE_HOME/logloom (~/.local/state/logloom) by default.`;

/** Adds `logloom send`. */
export function addSendCommand(program: Command, context: CommandContext): void {
  program
    .command('send')
    .description('send log files: NDJSON or plain text, .gz and .zst too; - is standard input')
    .argument('[files...]', 'files, folders and patterns', ['-'])
    .option('-f, --follow', 'keep sending as the files grow, like tail -F', false)
    .option('--from-end', 'with --follow: skip what new files already contain', false)
    .option('--position <file>', 'file that records what was sent; a later run continues from it')
    .option(
      '--multiline <pattern>',
      'a line that matches this regular expression begins an event; the lines after it belong to the same event',
    )
    .option('--no-multiline', 'each line is an event')
    .option('--backfill', 'the events happened earlier; the default for files without --follow')
    .option('--no-backfill', 'the events happen now')
    .option('--rate <events>', 'maximum events per second', rateOf, Infinity)
    .option('--service <name>', 'service of events that name none')
    .option('--host <name>', 'host of events that name none')
    .option(
      '--attribute <name=value>',
      'attribute of all events; several times for several',
      addAttribute,
      {},
    )
    .option(
      '--timezone <zone>',
      'of times without a zone: Europe/Berlin, +02:00 (default: in text that of this machine, in JSON INGEST_TIME_ZONE)',
    )
    .option('--formats <file>', 'formats of your own for plain text, YAML (default: the setting FORMATS)')
    .option('--journal', "systemd's journal of this machine, by journalctl, instead of files", false)
    .option('--unit <name>', 'with --journal: of this unit only; several times for several', addItem, [])
    .option('--since <time>', 'with --journal: from this time on, as journalctl takes it')
    .addOption(context.ingest)
    .addOption(context.key)
    .addOption(context.json)
    .addHelpText('after', help)
    .action((files: string[], flags: SendFlags) => send(files, flags, context));
}

async function send(files: string[], flags: SendFlags, context: CommandContext): Promise<void> {
  const { env, signal, note, report } = context;
  const isSavable = flags.journal || !files.includes('-');
  if (!isSavable && (flags.follow || flags.position !== undefined))
    throw new CommandError(
      'command-failed',
      'standard input cannot be followed, and has no position to continue from',
    );
  if (!isSavable && files.length > 1 && flags.backfill === true)
    throw new CommandError('command-failed', 'standard input cannot be merged with files');
  const url = context.ingestUrl(flags.ingestUrl);
  const { sendFiles } = await import('../send/send-files.ts');
  const bar = new ProgressBar(process.stderr);
  const paths = flags.journal ? ['--journal'] : isSavable ? pathsOf(files, flags, note) : files;
  const zone = await loadTimeZone(flags.timezone);
  const formats = await loadUserFormats(flags.formats ?? context.settings().FORMATS);
  try {
    const result = await sendFiles(paths, {
      url,
      key: context.ingestKey(flags.key),
      format: {
        isLive: flags.follow || !isSavable,
        zone,
        formats,
        service: flags.service,
        join: { pattern: patternOf(flags.multiline) },
        defaults: { service: flags.service, host: flags.host, attributes: flags.attribute },
      },
      follow: flags.follow,
      fromEnd: flags.fromEnd,
      journal: flags.journal ? { units: flags.unit, since: flags.since } : undefined,
      position: flags.position ?? (flags.follow ? defaultPosition(env, url, paths) : undefined),
      timezone: flags.timezone,
      isBackfill: flags.backfill ?? (isSavable && !flags.follow),
      rate: flags.rate,
      onProgress: (progress) => {
        if (!flags.json) bar.update(progress);
      },
      note,
      signal,
    });
    bar.clear();
    report(result, flags.json);
  } catch (error) {
    bar.clear();
    if (!signal.aborted || error instanceof CommandError) throw error;
    const isSaved = flags.follow || flags.position !== undefined;
    throw new CommandError(
      'interrupted',
      isSaved ? 'interrupted; the next run continues from here' : 'interrupted before all was sent',
    );
  }
}

/** A followed file may appear later, so it need not be there. */
function pathsOf(files: readonly string[], { follow }: SendFlags, note: (line: string) => void): string[] {
  return expandPaths(files, note).map((path) => {
    if (follow && /\.(?:gz|zst)$/.test(path))
      throw new CommandError('command-failed', `${path}: a packed file cannot be followed`);
    return path;
  });
}

function addItem(item: string, before: readonly string[]): string[] {
  return [...before, item];
}

function addAttribute(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^([A-Za-z_][\w.@/-]{0,127})=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('must be name=value');
  return { ...before, [name]: value };
}

/** One for each set of files and server. */
function defaultPosition(env: NodeJS.ProcessEnv, url: string, paths: readonly string[]): string {
  const name = createHash('sha256')
    .update([url, ...paths.toSorted()].join('\0'))
    .digest('hex')
    .slice(0, 16);
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local/state'), 'logloom', `send-${name}.json`);
}

function patternOf(given: string | false | undefined): RegExp | false | undefined {
  if (typeof given !== 'string') return given;
  try {
    return new RegExp(given, 'u');
  } catch (error) {
    throw new CommandError('command-failed', `--multiline: ${(error as Error).message}`);
  }
}

function rateOf(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0');
  return value;
}
