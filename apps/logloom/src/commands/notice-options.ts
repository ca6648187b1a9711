import type { NoticeReceivers } from '@logloom/loadtest';
import { Option, type Command } from 'commander';
import { readFileSync } from 'node:fs';
import { CommandError } from './command-errors.ts';

/** Who is told how a load test ended. */
export interface NoticeFlags {
  notify?: string[];
  notifySlack?: string[];
  pushgateway?: string[];
  reportUrl?: string;
}

/** Adds the options of NoticeFlags to a command. */
export function addNoticeOptions(command: Command): void {
  const another = (value: string, before: string[] = []): string[] => [...before, urlOf(value)];
  const file = '@FILE: the URL is in the file, where other users cannot see it in ps';
  command
    .addOption(
      new Option('--notify <url>', `post the verdict as JSON; may be repeated; ${file}`).argParser(another),
    )
    .addOption(
      new Option(
        '--notify-slack <url>',
        "post the verdict to an incoming webhook of Slack; may be repeated; @FILE as for '--notify'",
      ).argParser(another),
    )
    .addOption(
      new Option(
        '--pushgateway <url>',
        "put the run's metrics into a Pushgateway; may be repeated; @FILE as for '--notify'",
      ).argParser(another),
    )
    .option('--report-url <url>', 'where others find the report, for the notices (default: its path)');
}

/** The receivers that the flags name; undefined: there are none. */
export function receiversOf({
  notify = [],
  notifySlack = [],
  pushgateway = [],
}: NoticeFlags): NoticeReceivers | undefined {
  if (notify.length + notifySlack.length + pushgateway.length === 0) return undefined;
  return { webhooks: notify, slack: notifySlack, pushgateways: pushgateway };
}

/** Throws CommandError before anything is run: a verdict that nobody hears of after an hour helps nobody. */
function urlOf(value: string): string {
  const text = value.startsWith('@') ? readFileSync(value.slice(1), 'utf8').trim() : value;
  const protocol = URL.parse(text)?.protocol;
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new CommandError('command-failed', `${value} is not an http or https URL`);
  return text;
}
