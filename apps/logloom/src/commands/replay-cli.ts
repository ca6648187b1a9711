import type { LogGap } from '@logloom/event-log';
import { parseMicros, type Alert, type Correlation } from '@logloom/schemas';
import { InvalidArgumentError, type Command } from 'commander';
import { colors as pc } from '../output/colors.ts';
import type { ViewComparison } from '../replay/compare-views.ts';
import { CommandError } from './command-errors.ts';
import type { ReplayView } from '../replay/replay.ts';
import { readRules } from './rules-cli.ts';
import type { CommandContext } from './command-context.ts';

interface ReplayFlags {
  rules?: string;
  withoutRules: boolean;
  withSettings: boolean;
  from?: number;
  until?: number;
  to?: string;
  topic?: string;
  json: boolean;
}

/** Adds `logloom replay` and `logloom replay compare`. */
export function addReplayCommands(program: Command, { settings, signal, write, json }: CommandContext): void {
  const command = program
    .command('replay')
    .description(
      'correlate a range of the log again with other rules, into a separate view; live documents stay as they are',
    )
    .option('--rules <file>', 'rules to use; without it, those that were in force')
    .option('--without-rules', 'no rules', false)
    .option('--with-settings', 'use CORRELATION_… as set here; without it, what was in force', false)
    .option('--from <time>', 'start of the range by append time: RFC 3339 or epoch ms', time)
    .option('--until <time>', 'end of the range, in the same forms; exclusive', time)
    .option('--to <folder>', 'write correlations.ndjson and alerts.ndjson into this new folder')
    .option('--topic <name>', 'write to this new topic, named replay.…')
    .addOption(json)
    .addHelpText('after', '\nReads the log that the settings name, also while Logloom runs on it.')
    .action(async (flags: ReplayFlags) => {
      if ((flags.to === undefined) === (flags.topic === undefined))
        throw new CommandError('command-failed', 'name a destination: --to a folder or --topic a name');
      const given = settings();
      const rules = flags.withoutRules
        ? null
        : flags.rules === undefined
          ? undefined
          : await readRules(flags.rules);
      const { connectLog } = await import('@logloom/runtime');
      const { FolderView, TopicView } = await import('../replay/replay-views.ts');
      const { replay } = await import('../replay/replay.ts');
      await using connection = await connectLog(given);
      const { log, serde } = connection;
      using owned = new DisposableStack();
      const view =
        flags.to === undefined
          ? await TopicView.create(log, serde, flags.topic!)
          : owned.use(new FolderView(flags.to));
      const counts = new Counts(view);
      const { correlateOptions } = await import('@logloom/correlator');
      const fallback = correlateOptions(given);
      const options = flags.withSettings ? fallback : undefined;
      const range = { fromMs: flags.from, toMs: flags.until };
      const ranges = await replay({ log, serde, options, fallback, rules, ...range, signal }, counts);
      const records = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
      if (flags.json) write(JSON.stringify({ records, ranges, ...counts.result() }));
      else
        [...countLines(records, counts), ...ranges.flatMap(({ gaps }) => gaps.map(gapLine))].forEach(write);
      if (counts.documents.size === 0) throw new CommandError('nothing-found', '');
    });

  command
    .command('compare')
    .description('compare two replays: which requests differ and how, with counts by rule')
    .argument('<first>', 'a folder that `replay --to` wrote')
    .argument('<second>', 'another such folder')
    .addOption(json)
    .addHelpText('after', '\nExit code 1 when they differ.')
    .action(async (first: string, second: string, flags: { json: boolean }) => {
      const { compareViews } = await import('../replay/compare-views.ts');
      const comparison = await compareViews(first, second);
      // Both commands have --json, and the outer one parses it.
      const asJson = flags.json || command.opts<ReplayFlags>().json;
      if (asJson) write(JSON.stringify(comparison));
      else comparisonLines(comparison).forEach(write);
      const { onlyInFirst, onlyInSecond, different } = comparison;
      if (onlyInFirst.length + onlyInSecond.length + different.length > 0)
        throw new CommandError('problems-found', '');
    });
}

/** Counts on the way to a view. */
class Counts implements ReplayView {
  readonly #view: ReplayView;
  /** The rules of each document, at its newest revision. */
  readonly documents = new Map<string, readonly string[]>();
  alerts = 0;

  constructor(view: ReplayView) {
    this.#view = view;
  }

  async put(documents: readonly Correlation[], alerts: readonly Alert[]): Promise<void> {
    for (const { id, rules } of documents) this.documents.set(id, rules);
    this.alerts += alerts.length;
    await this.#view.put(documents, alerts);
  }

  result(): { documents: number; alerts: number; rules: Record<string, number> } {
    const rules = Object.create(null) as Record<string, number>;
    for (const names of this.documents.values())
      for (const name of names) rules[name] = (rules[name] ?? 0) + 1;
    return { documents: this.documents.size, alerts: this.alerts, rules };
  }
}

function gapLine({ topic, partition, from, to, reason }: LogGap): string {
  return pc.yellow(
    `  ${to - from} records of ${topic}/${partition} are in no request: [${from}, ${to}) ${reason}`,
  );
}

function countLines(records: number, counts: Counts): string[] {
  const { documents, alerts, rules } = counts.result();
  return [
    `${records} records, ${documents} requests, ${alerts} alerts`,
    ...Object.entries(rules).map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`),
  ];
}

const maxShown = 20;

function comparisonLines({ same, onlyInFirst, onlyInSecond, different, rules }: ViewComparison): string[] {
  const shown = different.slice(0, maxShown);
  return [
    `${same} requests are the same, ${different.length} differ, ${onlyInFirst.length} and ${onlyInSecond.length} are in one only`,
    ...Object.entries(rules).map(
      ([name, { first, second }]) =>
        `  ${name}: ${first} ${first === second ? '=' : pc.yellow('→')} ${second}`,
    ),
    ...shown.map(({ id, parts }) => `  ${pc.bold(id)} ${parts.join(', ')}`),
    ...(different.length > maxShown
      ? [pc.dim(`  and ${different.length - maxShown} more; --json has all`)]
      : []),
  ];
}

function time(text: string): number {
  const millis = /^\d{1,15}$/.test(text) ? Number(text) : parseMicros(text) / 1000;
  if (Number.isNaN(millis)) throw new InvalidArgumentError('is neither RFC 3339 nor milliseconds since 1970');
  return millis;
}
