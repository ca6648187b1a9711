import { Option, type Command } from 'commander';
import { requestsSummaryLines, type RequestsSummaryJson } from '../output/requests-summary-lines.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { getJson } from './endpoint.ts';
import { positive } from './number-arguments.ts';

interface SummaryFlags extends ViewersFlags {
  from?: string;
  to?: string;
  by: string;
  limit: number;
}

/** Adds `logloom requests summary`. */
export function addRequestsCommand(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, print } = context;
  const requests = program.command('requests').description('look at many requests at once');
  requests
    .command('summary')
    .description('show how many requests there are of each shape or service, with errors and durations')
    .argument('[filter]', 'Lucene syntax, over requests', '')
    .option('--from <time>', 'RFC 3339, epoch ms, or now-15m')
    .option('--to <time>', 'in the same forms; exclusive')
    .addOption(
      new Option('--by <what>', 'group by services and message templates, or by each service')
        .choices(['shape', 'service'])
        .default('shape'),
    )
    .option('--limit <n>', 'number of groups, to 1000', positive, 20)
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (q: string, options: SummaryFlags) => {
      const { from, to, by, limit } = options;
      const query = { q, from, to, by, limit: String(limit) };
      const summary = (await getJson(
        endpoint(options),
        '/api/requests/summary',
        query,
      )) as RequestsSummaryJson;
      print(options.json, summary, () => requestsSummaryLines(summary));
      if (summary.all.requests === 0) throw new CommandError('nothing-found', '');
    });
}
