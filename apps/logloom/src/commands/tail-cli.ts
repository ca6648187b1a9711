import type { Command } from 'commander';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { count } from './number-arguments.ts';
import type { TailOptions } from './tail.ts';

interface TailFlags extends ViewersFlags {
  requests: boolean;
  lines?: number;
  last?: string;
  cursor?: string;
}

/** Adds `logloom tail`. */
export function addTailCommand(program: Command, context: CommandContext): void {
  const { signal, write, note, endpoint, viewers, token, json } = context;
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
        ...endpoint(options),
        filter,
        stream: options.requests ? 'correlations' : 'events',
      } as const;
      const { json } = options;
      const { tail } = await import('./tail.ts');
      await tail({ ...target, from: startOf(options), json, write, note }, signal);
    });
}

function startOf({ lines, last, cursor }: TailFlags): TailOptions['from'] {
  if (cursor !== undefined) return { cursor };
  if (last !== undefined) return { last };
  return lines === undefined ? 'now' : { tail: lines };
}
