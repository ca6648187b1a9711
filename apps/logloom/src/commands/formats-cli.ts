import { escapeControls } from '@logloom/telemetry/escape-controls';
import { Option, type Command } from 'commander';
import type { TriedEvent, Trial } from '../formats/try-formats.ts';
import { colors as pc } from '../output/colors.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { loadTimeZone } from './load-time-zone.ts';
import { loadUserFormats } from './load-user-formats.ts';
import { count } from './number-arguments.ts';

interface FormatsFlags {
  formats?: string;
  json: boolean;
}

interface TryFlags extends FormatsFlags {
  limit: number;
  timezone?: string;
  service?: string;
}

const help = `
Each event is shown as Logloom would store it, with what it was read by and how sure that is: sure (JSON, a format of your own, a layout
that the file's lines have), likely (a header with a time and a level), a guess (only one of them), or unknown (the text is the message).
Nothing is sent. docs/formats.md says how a format is written.`;

/** Adds `logloom formats list` and `logloom formats try`. */
export function addFormatsCommands(program: Command, context: CommandContext): void {
  const group = program.command('formats').description('see by which formats plain text is read');
  const file = new Option('--formats <file>', 'formats of your own, YAML (default: the setting FORMATS)');
  group
    .command('list')
    .description('list the formats: your own, and the layouts that are known')
    .addOption(file)
    .addOption(context.json)
    .action((flags: FormatsFlags) => list(flags, context));
  group
    .command('try')
    .description('show what becomes of the lines of a file, and how sure it is')
    .argument('<file>', 'a file as of logloom send; - is standard input')
    .addOption(file)
    .option('--limit <events>', 'events to show; all are counted', count, 20)
    .option(
      '--timezone <zone>',
      'of times without a zone: Europe/Berlin, +02:00 (default: that of this machine)',
    )
    .option('--service <name>', 'service of events that name none')
    .addOption(context.json)
    .addHelpText('after', help)
    .action((path: string, flags: TryFlags) => tryFile(path, flags, context));
}

async function list({ formats, json }: FormatsFlags, context: CommandContext): Promise<void> {
  const own = await loadUserFormats(formats ?? context.settings().FORMATS);
  const { knownLayouts, knownWrappers } = await import('@logloom/ingest/formats');
  const rows = [
    ...(own?.layouts ?? []).map(({ name, title }) => ({ name, title, from: 'FORMATS' })),
    ...[...knownLayouts, ...knownWrappers].map(({ name, title }) => ({ name, title, from: 'known' })),
  ];
  if (json) return rows.forEach((row) => context.write(JSON.stringify(row)));
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, title, from } of rows)
    context.write(`${name.padEnd(width)}  ${from === 'known' ? title : pc.bold(title)}`);
}

async function tryFile(path: string, flags: TryFlags, context: CommandContext): Promise<void> {
  const settings = context.settings();
  const formats = await loadUserFormats(flags.formats ?? settings.FORMATS);
  const zone = await loadTimeZone(flags.timezone);
  const { tryFormats } = await import('../formats/try-formats.ts');
  const trial = await tryFormats(path, {
    settings,
    formats,
    zone,
    service: flags.service,
    limit: flags.limit,
    onEvent: (event) => {
      if (flags.json) context.write(JSON.stringify(event));
      else eventLines(event).forEach(context.write);
    },
  });
  if (flags.json) context.write(JSON.stringify(trial));
  else trialLines(trial).forEach(context.write);
  if (trial.events === 0) throw new CommandError('problems-found', '');
}

function eventLines({ line, layout, sureness, event, refused }: TriedEvent): string[] {
  const mark = { sure: pc.green, likely: pc.green, guess: pc.yellow, unknown: pc.red }[sureness];
  const head = `${pc.dim(String(line).padStart(6))}  ${layout ?? 'no layout'}, ${mark(sureness)}`;
  if (event === undefined) return [head, `        ${pc.red(escapeControls(refused ?? ''))}`];
  const { attributes, ...fields } = event;
  const shown = [...Object.entries(fields), ...Object.entries(attributes as object)].map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const short = text.length > 300 ? `${text.slice(0, 297)}…` : text;
    return `        ${pc.dim(`${escapeControls(name)}:`)} ${escapeControls(short).replaceAll('\n', '⏎')}`;
  });
  return [head, ...shown];
}

function trialLines({ events, layouts, unknown }: Trial): string[] {
  const counts = Object.entries(layouts).map(([name, found]) => `${name} ${found}`);
  const missing = Object.entries(unknown)
    .filter(([, found]) => found > 0)
    .map(([field, found]) => `${found} without a ${field}`);
  return [`${events} events: ${counts.join(', ')}${missing.length === 0 ? '' : `; ${missing.join(', ')}`}`];
}
