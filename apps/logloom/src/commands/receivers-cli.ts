import { escapeControls } from '@logloom/telemetry/escape-controls';
import { loadEnvironment } from '@logloom/settings';
import type { Command } from 'commander';
import { colors as pc } from '../output/colors.ts';
import { CommandError } from './command-errors.ts';
import type { CommandContext } from './command-context.ts';

/** Adds `logloom receivers check` and `logloom receivers test`. */
export function addReceiversCommands(
  program: Command,
  { settings, env, signal, write, note, json }: CommandContext,
): void {
  const receivers = program.command('receivers').description("check alerts' receivers, and try them");

  receivers
    .command('check')
    .description('check a receivers file, and list every problem with line and column')
    .argument('<file>', 'the receivers, as YAML (docs/receivers.md)')
    .addOption(json)
    .addHelpText('after', '\nThe variables that the file names have to be set, as for the indexer.')
    .action(async (file: string, options: { json: boolean }) => {
      const { formatReceiversProblem, loadReceivers } = await import('@logloom/notify/receivers-file');
      const loaded = loadReceivers(file, loadEnvironment(env));
      if (options.json) {
        const found = loaded.ok
          ? {
              version: loaded.receivers.version,
              receivers: [...loaded.receivers.receivers.keys()],
              unused: loaded.receivers.unused,
            }
          : {};
        write(JSON.stringify({ file, problems: loaded.ok ? [] : loaded.problems, ...found }));
      } else if (loaded.ok) {
        const { receivers: named, version, unused } = loaded.receivers;
        write(`${file}: ${named.size} receivers, version ${version}`);
        for (const name of unused) note(pc.yellow(`no route names the receiver ${name}`));
      } else {
        for (const problem of loaded.problems) write(escapeControls(formatReceiversProblem(file, problem)));
      }
      if (!loaded.ok) throw new CommandError('problems-found', '');
    });

  receivers
    .command('test')
    .description('send a test alert to a receiver, whatever the routes say')
    .argument('<name>', 'the receiver')
    .option('--file <file>', 'the receivers file (default: RECEIVERS)')
    .option('--resolve', 'then tell it that the alert is resolved', false)
    .addOption(json)
    .action(async (name: string, options: { file?: string; resolve: boolean; json: boolean }) => {
      const given = settings();
      const file = options.file ?? given.RECEIVERS;
      if (file === undefined)
        throw new CommandError('command-failed', 'name a receivers file: set RECEIVERS, or use --file');
      const { formatReceiversProblem, loadReceivers } = await import('@logloom/notify/receivers-file');
      const loaded = loadReceivers(file, loadEnvironment(env));
      if (!loaded.ok)
        throw new CommandError(
          'command-failed',
          loaded.problems.map((problem) => escapeControls(formatReceiversProblem(file, problem))).join('\n'),
        );
      const { receivers: named, link } = loaded.receivers;
      const receiver = named.get(name);
      if (receiver === undefined)
        throw new CommandError(
          'command-failed',
          `${file} has the receivers ${[...named.keys()].join(', ')}, not ${name}`,
        );
      const { AddressRules, allowedHosts } = await import('@logloom/notify');
      const { DeliveryError } = await import('@logloom/notify/sending');
      const { sendTestAlert } = await import('@logloom/notify/send-test-alert');
      try {
        const rules = new AddressRules(allowedHosts(given));
        await sendTestAlert(receiver, options.resolve, { rules, link, nowMs: Date.now }, signal);
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
        throw new CommandError('command-failed', `${name} was not told: ${escapeControls(error.message)}`);
      }
      if (options.json) write(JSON.stringify({ receiver: name, sent: true }));
      else write(`${name} has taken the test alert${options.resolve ? ', and its end' : ''}`);
    });
}
