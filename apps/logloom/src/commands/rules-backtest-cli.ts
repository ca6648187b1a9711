import type { RuleSet } from '@logloom/rules';
import type { WindowTrial } from '@logloom/rules/windows';
import { measuredText } from '@logloom/schemas';
import { escapeControls } from '@logloom/telemetry/escape-controls';
import type { Command } from 'commander';
import { colors as pc } from '../output/colors.ts';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { postAt } from './endpoint.ts';

/** Adds `logloom rules backtest`; `readRules` throws CommandError with every problem of a file. */
export function addBacktestCommand(
  rules: Command,
  context: CommandContext,
  readRules: (file: string) => Promise<RuleSet>,
): void {
  const { write, note, viewers, token, json } = context;
  rules
    .command('backtest')
    .description(
      'show what rules over many events would have raised on the stored log, and on which requests',
    )
    .argument('<file>', 'the rules, as YAML (docs/rules.md)')
    .option('--from <time>', 'RFC 3339, epoch ms, or -7d', '-1d')
    .option('--to <time>', 'in the same forms; exclusive (default: now)')
    .addOption(viewers)
    .addOption(token)
    .addOption(json)
    .addHelpText(
      'after',
      '\nRules over one request are not tried: logloom replay --rules does that. Exit code 1 when no rule fires.',
    )
    .action(async (file: string, options: ViewersFlags & { from: string; to?: string }) => {
      const { text } = await readRules(file);
      const body = {
        rules: text,
        from: ago(options.from),
        ...(options.to === undefined ? {} : { to: ago(options.to) }),
      };
      const result = (await postAt(context.endpoint(options), '/api/rules/backtest', body)) as BacktestResult;
      if (options.json) write(JSON.stringify(result));
      else {
        write(`${result.events} events, ${result.requests} requests, ${result.from} to ${result.to}`);
        windowLines(result.rules).forEach(write);
      }
      if (!result.complete) note(pc.yellow(`it took too long: judged up to ${result.to}`));
      if (result.skipped.length > 0)
        note(pc.yellow(`not tried, because they look at one request: ${result.skipped.join(', ')}`));
      if (result.rules.every(({ alerts }) => alerts.length === 0))
        throw new CommandError('nothing-found', '');
    });
}

interface BacktestResult {
  from: string;
  to: string;
  complete: boolean;
  events: number;
  requests: number;
  rules: WindowTrial[];
  skipped: string[];
}

/** `-7d` as the API has it: now-7d. */
function ago(time: string): string {
  return /^-\d+[smhd]$/.test(time) ? `now${time}` : time;
}

const maxAlertLines = 5;

/** What each rule over many events has raised. */
export function windowLines(trials: readonly WindowTrial[]): string[] {
  const width = Math.max(0, ...trials.map(({ name }) => name.length));
  return trials.flatMap(({ name, condition, alerts }) => {
    const count = alerts.length === 0 ? pc.dim('      0') : pc.yellow(String(alerts.length).padStart(7));
    const shown = alerts.slice(0, maxAlertLines).flatMap(({ key, from, to, value, examples }) => {
      const fields = Object.entries(key).map(([field, each]) => `${field}=${each}`);
      const of = [...fields, ...(value === undefined ? [] : [`value ${measuredText(condition, value)}`])]
        .map(escapeControls)
        .join(' ');
      const ids = examples.map(escapeControls).join(' ');
      return [`  ${from} to ${to ?? '…'}  ${of}`, ...(ids === '' ? [] : [pc.dim(`    ${ids}`)])];
    });
    const rest = alerts.length > maxAlertLines ? [pc.dim(`  and ${alerts.length - maxAlertLines} more`)] : [];
    return [`${name.padEnd(width)} ${count} ${alerts.length === 1 ? 'alert' : 'alerts'}`, ...shown, ...rest];
  });
}
