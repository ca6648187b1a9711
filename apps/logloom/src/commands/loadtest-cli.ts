import type { Command } from 'commander';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { addScenarioCommands } from './loadtest-scenario-cli.ts';
import { targetOf } from './loadtest-target.ts';
import { positive } from './number-arguments.ts';

interface LoadtestFlags extends ViewersFlags {
  viewers: number;
  rate: number;
  seconds: number;
  ingestUrl?: string;
  key?: string;
}

/** Adds `logloom loadtest`. */
export function addLoadtestCommand(program: Command, context: CommandContext): void {
  const { signal, note, viewers, token, ingest, key, json, print } = context;
  const loadtest = program
    .command('loadtest')
    .enablePositionalOptions()
    .description(
      'let viewers watch a running Logloom, send events at a flat rate, and check what each viewer gets',
    )
    .option('--viewers <n>', 'number of viewers', positive, 100)
    .option('--rate <events>', 'events per second to send', positive, 100)
    .option('--seconds <n>', 'for how long to send', positive, 10)
    .addOption(viewers)
    .addOption(token)
    .addOption(ingest)
    .addOption(key)
    .addOption(json)
    .addHelpText(
      'after',
      '\nExit codes: 0 every viewer got every event once; 1 a viewer was refused, lost its connection, missed an event or got one twice; 2 it could not be run.\n`loadtest run` runs scenarios, which also judge latency, the search, and recovery from faults.',
    )
    .action(async (flags: LoadtestFlags) => {
      const { checkDelivery, deliveryCheckLines, isClean, LoadtestError } = await import('@logloom/loadtest');
      const target = await targetOf(flags, {}, context);
      const load = { ...flags, viewers: Math.ceil(flags.viewers) };
      const { result, findings } = await checkDelivery(load, { ...target, onNotice: note }, signal).catch(
        (error: unknown) => {
          if (!(error instanceof LoadtestError)) throw error;
          throw new CommandError('no-response', `${error.message}; is Logloom running?`);
        },
      );
      if (result.viewers === 0) {
        const reasons = Object.keys(findings.connections.failuresByReason).join(', ') || 'no connection';
        throw new CommandError('no-response', `no viewer could connect to ${target.url} (${reasons})`);
      }
      print(flags.json, result, () => deliveryCheckLines(result));
      if (!isClean(result)) throw new CommandError('problems-found', '');
    });
  addScenarioCommands(loadtest, context);
}
