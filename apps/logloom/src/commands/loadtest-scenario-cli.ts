import type { ReportFormat, RunResult, Trend } from '@logloom/loadtest';
import { Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import type { CommandContext, ViewersFlags } from './command-context.ts';
import { CommandError } from './command-errors.ts';

interface RunFlags extends ViewersFlags {
  ingestUrl?: string;
  key?: string;
  out: string;
  report: ReportFormat[];
  metricsUrl?: string[];
}

/** The exit code of `loadtest run`; what the command prints says why. */
class VerdictExit extends CommandError {
  override readonly exitCode: number;

  constructor(exitCode: number) {
    super('problems-found', '');
    this.exitCode = exitCode;
  }
}

/** Adds `logloom loadtest run|check|explain|compare|history` to `logloom loadtest`. */
export function addScenarioCommands(loadtest: Command, context: CommandContext): void {
  const { signal, note, endpoint, ingestUrl, ingestKey, viewers, token, ingest, key, json, print, write } =
    context;
  const list = (value: string): string[] => value.split(',').map((part) => part.trim());

  loadtest
    .command('run')
    .description(
      'run a scenario, check every delivery, and say whether the objectives are met, missed or not shown',
    )
    .argument('<scenario>', 'a file, or a scenario that comes with Logloom (`loadtest check` lists them)')
    .option('--out <folder>', 'where the reports go, a folder for each run', 'loadtest-runs')
    .addOption(
      new Option('--report <formats>', 'of json, html, markdown, csv, junit, prometheus, pdf')
        .argParser(list)
        .default(['json', 'html'], 'json,html'),
    )
    .option(
      '--metrics-url <urls>',
      'addresses of /metrics of all its processes (default: that of --url)',
      list,
    )
    .addOption(viewers)
    .addOption(token)
    .addOption(ingest)
    .addOption(key)
    .addOption(json)
    .addHelpText('after', '\nExit codes: 0 ready; 1 not ready; 2 it could not be run; 3 not shown.')
    .action(async (name: string, options: RunFlags) => {
      const { exitCodes, judgeRun, loadScenario, reportFormats, resultLines, runScenario, writeReports } =
        await import('@logloom/loadtest');
      const unknown = options.report.filter((one) => !reportFormats.includes(one));
      if (unknown.length > 0)
        throw new CommandError('command-failed', `there is no report ${unknown.join(', ')}`);
      const scenario = loadScenario(name);
      const findings = await runScenario(
        scenario,
        {
          ...endpoint(options),
          ingestUrl: ingestUrl(options.ingestUrl),
          ingestKey: ingestKey(options.key),
          ...(options.metricsUrl === undefined ? {} : { metricsUrls: options.metricsUrl }),
          onNotice: note,
          onSecond: ({ viewers: watching, sent, deliveries, p99Ms }, atS, ofS) => {
            if (options.json || atS % 5 !== 0) return;
            const late = p99Ms === null ? '' : `, p99 ${Math.round(p99Ms)} ms`;
            note(
              `${atS} of ${Math.round(ofS)} s: ${watching} viewers, ${sent} events/s, ${deliveries} deliveries/s${late}`,
            );
          },
        },
        signal,
      );
      const result = judgeRun(findings, scenario);
      const folder = `${options.out}/${result.startedAt.replace(/[:.]/g, '-')}-${scenario.name}`;
      const files = await writeReports(result, folder, { formats: options.report });
      print(options.json, result, () => [...resultLines(result), '', ...files]);
      if (result.verdict.overall !== 'ready') throw new VerdictExit(exitCodes[result.verdict.overall]);
    });

  loadtest
    .command('check')
    .description('look at a scenario without running it; without one, list those that come with Logloom')
    .argument('[scenario]', 'a file, or the name of one that comes with Logloom')
    .action(async (name: string | undefined) => {
      const { builtInScenarios, loadScenario, objectiveProblems, objectivesOf } =
        await import('@logloom/loadtest');
      if (name === undefined) {
        for (const each of builtInScenarios()) write(`${each.padEnd(12)} ${loadScenario(each).description}`);
        return;
      }
      const problems = objectiveProblems(objectivesOf(loadScenario(name)));
      if (problems.length > 0) throw new CommandError('command-failed', problems.join('\n'));
      write(`${name} can be run`);
    });

  loadtest
    .command('explain')
    .description('say what a scenario will take: time, events, deliveries, processes, open files')
    .argument('<scenario>', 'a file, or the name of one that comes with Logloom')
    .addOption(json)
    .action(async (name: string, options: { json: boolean }) => {
      const { estimate, loadScenario, objectivesOf, viewersPerProcess } = await import('@logloom/loadtest');
      const scenario = loadScenario(name);
      const found = { ...estimate(scenario, viewersPerProcess()), objectives: objectivesOf(scenario) };
      print(options.json, found, () => [
        `${scenario.name}: ${scenario.description}`,
        `${found.seconds} s, up to ${found.viewers} viewers, ${found.events} events, about ${found.deliveries} deliveries`,
        `${found.processes} processes of the generator, with up to ${found.openFiles} connections each (ulimit -n)`,
        'objectives:',
        ...found.objectives.map(
          ({ metric, atMost, atLeast }) =>
            `  ${metric} ${atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`}`,
        ),
      ]);
    });

  loadtest
    .command('compare')
    .description('compare runs with a baseline, metric by metric')
    .argument('<baseline>', 'a folder of runs')
    .argument('<candidate>', 'a folder of runs')
    .addOption(json)
    .action(async (baseline: string, candidate: string, options: { json: boolean }) => {
      const { compare, compareLines } = await import('@logloom/loadtest');
      const comparison = compare(await runsOf(baseline), await runsOf(candidate));
      print(options.json, comparison, () => compareLines(comparison));
      if (comparison.metrics.some(({ outcome }) => outcome === 'worse'))
        throw new CommandError('problems-found', '');
    });

  loadtest
    .command('history')
    .description('list the runs in a folder, and the trend of each metric from twenty runs on')
    .argument('[folder]', 'a folder of runs', 'loadtest-runs')
    .addOption(json)
    .action(async (folder: string, options: { json: boolean }) => {
      const { metrics, trendOf } = await import('@logloom/loadtest');
      const runs = await runsOf(folder);
      const trends = Object.fromEntries(metrics.map(({ name }) => [name, trendOf(runs, name)]));
      print(
        options.json,
        {
          runs: runs.map(({ run, startedAt, scenario, verdict }) => ({
            run,
            startedAt,
            scenario: scenario.name,
            verdict: verdict.overall,
          })),
          trends,
        },
        () => [
          ...runs.map(
            ({ startedAt, scenario, verdict: { overall, grade } }) =>
              `${startedAt}  ${scenario.name.padEnd(12)} ${overall}${grade === null ? '' : ` (${grade})`}`,
          ),
          ...Object.entries(trends).map(([metric, trend]) => `${metric}: ${trendText(trend)}`),
        ],
      );
    });

  async function runsOf(folder: string): Promise<RunResult[]> {
    const { readRuns } = await import('@logloom/loadtest');
    if (!existsSync(folder)) throw new CommandError('command-failed', `there is no folder ${folder}`);
    const { runs, refused } = await readRuns(folder);
    for (const { path, reason } of refused) note(`${path}: ${reason}`);
    if (runs.length === 0) throw new CommandError('nothing-found', `there is no run in ${folder}`);
    return runs;
  }
}

function trendText(trend: Trend): string {
  if (!trend.shown) return trend.reason;
  const changes = trend.changePoints.map(
    ({ run, before, after }) => `from ${before} to ${after} at run ${run}`,
  );
  const slope =
    trend.slope === null ? [] : [`${trend.slope.perRun} a run, ${trend.slope.interval.join(' to ')}`];
  const forecast =
    trend.forecast === null ? [] : [`the next run: ${trend.forecast.join(' to ')} in 9 of 10 cases`];
  return [...changes, ...slope, ...forecast].join('; ') || `no change in ${trend.runs} runs`;
}
