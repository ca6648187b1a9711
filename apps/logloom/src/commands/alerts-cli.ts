import { Option, type Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { userInfo } from 'node:os';
import {
  alertCount,
  alertLines,
  historyLine,
  type AlertJson,
  type HistoryJson,
} from '../output/alert-lines.ts';
import { colors as pc } from '../output/colors.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { getJson, postAt, type ViewersEndpoint } from './endpoint.ts';
import { positive } from './number-arguments.ts';

interface ListFlags extends ViewersFlags {
  state: string;
  limit: number;
  watch: boolean;
}

interface HistoryFlags extends ViewersFlags {
  from?: string;
  to?: string;
  limit: number;
}

interface AckFlags extends ViewersFlags {
  note?: string;
  author: string;
}

const pageSize = 1000;
const watchEveryMs = 2000;
const allStates = 'firing,pending,resolved';

/** Who is at the terminal, for a Logloom without tokens. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'anonymous';
  }
}

/** Adds `logloom alerts`. */
export function addAlertsCommands(program: Command, context: CommandContext): void {
  const { endpoint, viewers, token, json, write, note } = context;
  const alerts = program
    .command('alerts')
    .description('alerts that rules have raised, and who takes care of them');

  alerts
    .command('list', { isDefault: true })
    .description('list alerts as they are; without --state, those that are not resolved')
    .argument('[filter]', 'Lucene syntax over labels and fields, e.g. severity:critical', '')
    .addOption(
      new Option('--state <states>', 'firing, pending, resolved; several with commas').default(
        'firing,pending',
      ),
    )
    .option('--limit <n>', 'number of alerts', positive, pageSize)
    .option('--watch', 'go on and show each change, until Ctrl-C', false)
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .addHelpText('after', '\nExit codes: 0 there are some; 1 there are none; 2 the command failed.')
    .action(async (filter: string, flags: ListFlags) => {
      const show = (alert: AlertJson): void => {
        if (flags.json) write(JSON.stringify(alert));
        else alertLines(alert).forEach(write);
      };
      const base = endpoint(flags);
      const { found, total } = await listed(base, filter, flags.state, flags.limit);
      found.forEach(show);
      if (flags.watch) return watch(base, filter, found, show, context);
      if (!flags.json) note(pc.dim(alertCount(found.length, total)));
      if (found.length === 0) throw new CommandError('nothing-found', '');
    });

  alerts
    .command('history')
    .description('list what happened to alerts, the newest first: states, silences, acknowledgements')
    .argument('[filter]', 'Lucene syntax, e.g. rule:slow AND state:resolved', '')
    .option('--from <time>', 'RFC 3339, epoch ms, or now-15m')
    .option('--to <time>', 'in the same forms; exclusive')
    .option('--limit <n>', 'number of entries', positive, 50)
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (filter: string, flags: HistoryFlags) => {
      const { from, to } = flags;
      const base = endpoint(flags);
      let left = flags.limit;
      let cursor: string | undefined;
      do {
        const page = (await getJson(base, '/api/alerts/history', {
          q: filter,
          from,
          to,
          limit: String(Math.min(left, pageSize)),
          cursor,
        })) as { history: HistoryJson[]; next?: string };
        for (const entry of page.history) write(flags.json ? JSON.stringify(entry) : historyLine(entry));
        left -= page.history.length;
        cursor = page.next;
      } while (cursor !== undefined && left > 0);
      if (left === flags.limit) throw new CommandError('nothing-found', '');
    });

  alerts
    .command('ack')
    .description('say that somebody takes care of an alert; it ends with the alert')
    .argument('<fingerprint>', "the alert's")
    .option('--note <text>', 'what others should know')
    .option('--author <name>', 'who; counts only where no token says it', userName())
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .action(async (fingerprint: string, flags: AckFlags) => {
      const { note: text, author } = flags;
      const path = `/api/alerts/${encodeURIComponent(fingerprint)}/acknowledge`;
      const made = (await postAt(endpoint(flags), path, { note: text, author })) as {
        acknowledged: { author: string };
      };
      context.print(flags.json, made, () => [`acknowledged by ${made.acknowledged.author}`]);
    });
}

async function listed(
  base: ViewersEndpoint,
  filter: string,
  state: string,
  limit: number,
): Promise<{ found: AlertJson[]; total: number }> {
  const found: AlertJson[] = [];
  let total: number;
  let cursor: string | undefined;
  do {
    const page = (await getJson(base, '/api/alerts', {
      state: state === 'all' ? allStates : state,
      q: filter,
      limit: String(Math.min(limit - found.length, pageSize)),
      cursor,
    })) as { total: { value: number }; alerts: AlertJson[]; next?: string };
    found.push(...page.alerts);
    total = page.total.value;
    cursor = page.next;
  } while (cursor !== undefined && found.length < limit);
  return { found, total };
}

/** Shows each alert that is new or has changed, of any state, until the signal aborts. */
async function watch(
  base: ViewersEndpoint,
  filter: string,
  before: readonly AlertJson[],
  show: (alert: AlertJson) => void,
  { signal, note }: CommandContext,
): Promise<void> {
  const known = new Map(before.map((alert) => [alert.fingerprint, markOf(alert)]));
  let isFirst = true;
  let isAway = false;
  while (!signal.aborted) {
    try {
      for (const alert of (await listed(base, filter, allStates, Infinity)).found) {
        const mark = markOf(alert);
        if (known.get(alert.fingerprint) === mark) continue;
        known.set(alert.fingerprint, mark);
        // What had been resolved before is no change.
        if (!isFirst || alert.state !== 'resolved') show(alert);
      }
      isFirst = false;
      isAway = false;
    } catch (error) {
      if (!(error instanceof CommandError) || error.code !== 'no-response') throw error;
      if (!isAway) note(pc.yellow(error.message));
      isAway = true;
    }
    await sleep(watchEveryMs, undefined, { signal }).catch(() => {});
  }
}

/** Changes when there is something to show. */
function markOf({ state, startsAt, silencedBy, acknowledged }: AlertJson): string {
  return JSON.stringify([state, startsAt, silencedBy, acknowledged]);
}
