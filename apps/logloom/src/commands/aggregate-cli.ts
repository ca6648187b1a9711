import { Option, type Command } from 'commander';
import { aggregateLines, type AggregateResult } from '../output/aggregate-lines.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { getJson } from './endpoint.ts';
import { positive } from './number-arguments.ts';

interface AggregateFlags extends ViewersFlags {
  from?: string;
  to?: string;
  by?: string;
  metric: string;
  of?: string;
  interval?: string;
  limit: number;
}

const metrics = ['count', 'min', 'max', 'avg', 'sum', 'p50', 'p95', 'p99', 'distinct'];

/** Adds `logloom aggregate`. */
export function addAggregateCommand(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, print } = context;
  program
    .command('aggregate')
    .description('group events by fields, and show a figure of each group')
    .argument('[filter]', 'Lucene syntax', '')
    .option('--by <fields>', 'up to four, separated by commas: service, level, attributes.http.status, …')
    .addOption(new Option('--metric <metric>', 'the figure').choices(metrics).default('count'))
    .option('--of <field>', 'what the figure is about, for example attributes.duration_ms')
    .option('--interval <duration>', 'also over time: 30s, 5m, 1h, 1d, or auto')
    .option('--from <time>', 'RFC 3339, epoch ms, or now-15m')
    .option('--to <time>', 'in the same forms; exclusive')
    .option('--limit <n>', 'number of groups, to 1000', positive, 20)
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (q: string, { from, to, by, metric, of, interval, limit, ...options }: AggregateFlags) => {
      const query = { q, from, to, by, metric, of, interval, limit: String(limit) };
      const result = (await getJson(endpoint(options), '/api/aggregate', query)) as AggregateResult;
      const fields = (by ?? '').split(',').map((field) => field.trim());
      print(options.json, result, () =>
        aggregateLines(result, fields.filter(Boolean), of === undefined ? metric : `${metric} ${of}`),
      );
      if (result.groups.length === 0) throw new CommandError('nothing-found', '');
    });
}
