import type { Command } from 'commander';
import { requestLines } from '../output/request-lines.ts';
import { statusLines, type Status } from '../output/status-lines.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { getJson } from './endpoint.ts';
import { wholeRequest } from './whole-request.ts';

/** Adds `logloom correlation` and `logloom status`. */
export function addLookCommands(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, print } = context;
  program
    .command('correlation')
    .description('show a request: its document and its events in time order')
    .argument('<id>', "the document's id, or the request's own id")
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (id: string, options: ViewersFlags) => {
      const found = await wholeRequest(endpoint(options), id);
      print(options.json, found, () => requestLines(found));
    });

  program
    .command('status')
    .description('show the lag of each consumer, and counts')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (options: ViewersFlags) => {
      const status = (await getJson(endpoint(options), '/api/status')) as Status;
      print(options.json, status, () => statusLines(status));
    });
}
