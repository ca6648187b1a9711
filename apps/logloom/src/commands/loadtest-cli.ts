import type { Command } from 'commander';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { addScenarioCommands } from './loadtest-scenario-cli.ts';
import { count, positive } from './number-arguments.ts';

interface LoadtestFlags extends ViewersFlags {
  viewers: number;
  rate: number;
  seconds: number;
  ingestUrl?: string;
  key?: string;
}

/** Adds `logloom loadtest`. */
export function addLoadtestCommand(program: Command, context: CommandContext): void {
  const { signal, note, endpoint, ingestUrl, ingestKey, viewers, token, ingest, key, json, print } = context;
  const loadtest = program
    .command('loadtest')
    .enablePositionalOptions()
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
      const { isClean, loadtest: run, loadtestLines } = await import('../loadtest/loadtest.ts');
      const result = await run(
        {
          ...endpoint(options),
          ingestUrl: ingestUrl(options.ingestUrl),
          ingestKey: ingestKey(options.key),
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
  addScenarioCommands(loadtest, context);
}
