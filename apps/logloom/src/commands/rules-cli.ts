import { formatProblem, type RuleSet } from '@logloom/rules';
import type { LogEvent } from '@logloom/schemas';
import { escapeControls } from '@logloom/telemetry/escape-controls';
import type { Command } from 'commander';
import { colors as pc } from '../output/colors.ts';
import { CommandError } from './command-errors.ts';
import { loadUserFormats } from './load-user-formats.ts';
import type { Trial } from '../replay/try-rules.ts';
import type { Settings } from '../settings.ts';
import type { CommandContext } from './command-context.ts';
import { addBacktestCommand, windowLines } from './rules-backtest-cli.ts';
import { addRuleSourceCommands } from './rules-import-cli.ts';

/** Adds the commands of `logloom rules`. */
export function addRulesCommands(program: Command, context: CommandContext): void {
  const { settings, write, note, json } = context;
  const rules = program.command('rules').description('check rules, and try them on logs and on the past');

  rules
    .command('check')
    .description('check a rules file, and list every problem with line and column')
    .argument('<file>', 'the rules, as YAML (docs/rules.md)')
    .addOption(json)
    .action(async (file: string, options: { json: boolean }) => {
      const { loadRules } = await import('@logloom/rules/rules-file');
      const loaded = loadRules(file);
      if (options.json) {
        const problems = loaded.ok ? [] : loaded.problems;
        const warnings = loaded.ok ? loaded.warnings : [];
        const version = loaded.ok ? { version: loaded.rules.version, rules: countOf(loaded.rules) } : {};
        write(JSON.stringify({ file, problems, warnings, ...version }));
      } else if (loaded.ok) {
        for (const warning of loaded.warnings) write(`warning: ${formatProblem(file, warning)}`);
        write(`${file}: ${countOf(loaded.rules)} rules, version ${loaded.rules.version}`);
      } else {
        for (const problem of loaded.problems) write(formatProblem(file, problem));
      }
      if (!loaded.ok) throw new CommandError('problems-found', '');
    });

  rules
    .command('try')
    .description('show what the rules would have matched in log files')
    .argument('<file>', 'the rules, as YAML (docs/rules.md)')
    .requiredOption(
      '--from <logfile...>',
      'logs: NDJSON or plain text, .gz and .zst too; - is standard input',
    )
    .option('--service <name>', 'service of plain-text lines', 'unknown')
    .addOption(json)
    .addHelpText(
      'after',
      '\nSeveral files are merged by time, as if they had been sent while they were written. Exit code 1 when no rule matched anything.',
    )
    .action(async (file: string, options: { from: string[]; service: string; json: boolean }) => {
      const given = settings();
      const set = await readRules(file);
      let refused = 0;
      const events = await readEvents(options.from, options.service, given, () => refused++);
      const { correlateOptions } = await import('@logloom/correlator');
      const { tryRules } = await import('../replay/try-rules.ts');
      const { CORRELATION_ID_ORDER: order, CORRELATION_JOINS: joins } = given;
      const trial = await tryRules(set, events, correlateOptions(given), { order, joins });
      if (options.json) write(JSON.stringify({ version: set.version, refused, ...trial }));
      else trialLines(trial).forEach(write);
      if (refused > 0) note(pc.yellow(`${refused} lines could not be read as events`));
      const isIdle =
        trial.rules.every(({ documents }) => documents === 0) &&
        trial.windows.every(({ alerts }) => alerts.length === 0);
      if (isIdle) throw new CommandError('nothing-found', '');
    });

  addBacktestCommand(rules, context, readRules);
  addRuleSourceCommands(rules, context);
}

function countOf({ rules, windows }: RuleSet): number {
  return rules.length + windows.length;
}

/** The rules of a file. Throws CommandError with every problem. */
export async function readRules(file: string): Promise<RuleSet> {
  const { loadRules } = await import('@logloom/rules/rules-file');
  const loaded = loadRules(file);
  if (loaded.ok) return loaded.rules;
  throw new CommandError(
    'command-failed',
    loaded.problems.map((problem) => formatProblem(file, problem)).join('\n'),
  );
}

/** The events that `send` and ingest would make of the files, in order of time. */
async function readEvents(
  files: readonly string[],
  service: string,
  {
    FORMATS,
    INGEST_ID_PATTERNS,
    CORRELATION_ID_ORDER,
  }: Pick<Settings, 'FORMATS' | 'INGEST_ID_PATTERNS' | 'CORRELATION_ID_ORDER'>,
  onRefused: () => void,
): Promise<AsyncIterable<LogEvent>> {
  const { Normalizer, readEvent } = await import('@logloom/ingest');
  const { readFile: readLog } = await import('../send/read-file.ts');
  const { inTimeOrder } = await import('../replay/in-time-order.ts');
  const formats = await loadUserFormats(FORMATS);
  const normalizer = new Normalizer(INGEST_ID_PATTERNS, { idOrder: CORRELATION_ID_ORDER, formats });
  const receivedAt = Date.now();
  async function* eventsOf(file: string, partition: number): AsyncGenerator<LogEvent> {
    let offset = 0;
    for await (const { body } of readLog(file, { format: { service, formats } })) {
      const text = body.toString();
      if (text.trim() === '') continue;
      const source = { kind: 'http', topic: 'try', partition, offset: offset++, index: 0 };
      const event = readEvent(text, source, receivedAt, normalizer);
      if ('code' in event) onRefused();
      else yield event;
    }
  }
  return inTimeOrder(files.map(eventsOf));
}

function trialLines({ events, uncorrelated, documents, rules, windows }: Trial): string[] {
  const width = Math.max(0, ...rules.map(({ name }) => name.length));
  const none = uncorrelated > 0 ? `, ${uncorrelated} events without an id` : '';
  return [
    `${events} events, ${documents} requests${none}`,
    ...rules.flatMap(({ name, documents: matched, alerts, events: passed, examples }) => {
      const count = matched === 0 ? pc.dim('      0') : pc.bold(String(matched).padStart(7));
      const alerted = alerts > 0 ? pc.yellow(`  ${alerts} alerts`) : '';
      const requests = matched === 1 ? ' request ' : ' requests';
      const filters = Object.entries(passed).map(([key, each]) => `${key}: ${each}`);
      return [
        `${name.padEnd(width)} ${count}${requests}${alerted}`,
        pc.dim(`  events that pass ${filters.join(', ')}`),
        ...(examples.length > 0 ? [pc.dim(`  ${examples.map(escapeControls).join(' ')}`)] : []),
      ];
    }),
    ...windowLines(windows),
  ];
}
