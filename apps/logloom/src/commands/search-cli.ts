import { Option, type Command } from 'commander';
import { colors as pc } from '../output/colors.ts';
import { eventLine, type EventJson } from '../output/event-line.ts';
import type { Highlights } from '../output/mark-ranges.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { getJson } from './endpoint.ts';
import { positive } from './number-arguments.ts';

interface SearchPage {
  total: { value: number };
  events: EventJson[];
  highlights?: Record<string, Highlights>;
  next?: string;
}

interface SearchFlags extends ViewersFlags {
  from?: string;
  to?: string;
  limit: number;
  order: string;
}

/** Adds `logloom search`. */
export function addSearchCommand(program: Command, context: CommandContext): void {
  const { write, note, viewers, token, json } = context;
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
      const endpoint = context.endpoint(options);
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
}
