import type { Command } from 'commander';
import { silenceLines, type SilenceJson } from '../output/alert-lines.ts';
import { colors as pc } from '../output/colors.ts';
import { userName } from './alerts-cli.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { deleteAt, getJson, postAt } from './endpoint.ts';

interface ListFlags extends ViewersFlags {
  state: string;
}

interface AddFlags extends ViewersFlags {
  reason: string;
  for?: string;
  from?: string;
  until?: string;
  window: string[];
  timeZone?: string;
  author: string;
}

/** Adds `logloom silences`. */
export function addSilencesCommands(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, write, note } = context;
  const silences = program
    .command('silences')
    .description('silences and maintenance windows: times in which nobody is notified of alerts');

  silences
    .command('list', { isDefault: true })
    .description('list silences; without --state, those that have not ended')
    .option('--state <states>', 'active, pending, expired; several with commas', 'active,pending')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .addHelpText('after', '\nExit codes: 0 there are some; 1 there are none; 2 the command failed.')
    .action(async (flags: ListFlags) => {
      const state = flags.state === 'all' ? undefined : flags.state;
      const found = (await getJson(endpoint(flags), '/api/silences', { state })) as {
        silences: SilenceJson[];
      };
      for (const silence of found.silences)
        if (flags.json) write(JSON.stringify(silence));
        else silenceLines(silence).forEach(write);
      const { length } = found.silences;
      if (!flags.json) note(pc.dim(length === 1 ? '1 silence' : `${length} silences`));
      if (length === 0) throw new CommandError('nothing-found', '');
    });

  silences
    .command('add')
    .description('silence the alerts whose labels match all of these')
    .argument('<matchers...>', 'such as service=payment severity!=critical team=~"shop|pay.*"')
    .requiredOption('--reason <text>', 'why')
    .option('--for <duration>', 'how long, such as 2h')
    .option('--from <time>', 'when it begins: RFC 3339, epoch ms, or now+1h; default: now')
    .option('--until <time>', 'when it ends, in the same forms')
    .option(
      '--window <window>',
      'only at this time of the week, such as sat,sun@22:00-04:00; may be repeated',
      collect,
      [],
    )
    .option('--time-zone <name>', 'of the windows, such as Europe/Berlin; default: UTC')
    .option('--author <name>', 'who; counts only where no token says it', userName())
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (matchers: string[], flags: AddFlags) => {
      const { reason, author, timeZone } = flags;
      const made = (await postAt(endpoint(flags), '/api/silences', {
        matchers,
        reason,
        author,
        duration: flags.for === undefined ? undefined : withUnit(flags.for),
        startsAt: flags.from,
        endsAt: flags.until,
        timeZone,
        ...(flags.window.length === 0 ? {} : { windows: flags.window.map(readWindow) }),
      })) as SilenceJson;
      context.print(flags.json, made, () => silenceLines(made));
    });

  silences
    .command('end')
    .description('end silences before their time')
    .argument('<ids...>')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (ids: string[], flags: ViewersFlags) => {
      for (const id of ids) {
        await deleteAt(endpoint(flags), `/api/silences/${encodeURIComponent(id)}`);
        context.print(flags.json, { ended: id }, () => [`ended ${id}`]);
      }
    });
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** The API takes a bare number for milliseconds, which nobody means who types `--for 2`. */
function withUnit(duration: string): string {
  if (/^\d+(?:\.\d+)?$/.test(duration))
    throw new CommandError(
      'command-failed',
      `--for ${duration} has no unit: write ${duration}h or ${duration}m`,
    );
  return duration;
}

function readWindow(text: string): { days: string[]; from: string; to: string } {
  const [, days, from, to] = /^([a-z,]+)@(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  if (days === undefined || from === undefined || to === undefined)
    throw new CommandError(
      'command-failed',
      `${JSON.stringify(text)} is not a window such as sat,sun@22:00-04:00`,
    );
  return { days: days.split(','), from, to };
}
