import type { LivePage, ReportFormat, RunResult, TargetKind, Trend } from '@logloom/loadtest';
import { Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { colors as pc } from '../output/colors.ts';
import type { CommandContext } from './command-context.ts';
import { addCalibrateCommand } from './loadtest-calibrate-cli.ts';
import { CommandError } from './command-errors.ts';
import {
  faultJournalFolder,
  faultOptions,
  faultOptionsOf,
  type FaultFlags,
} from './loadtest-fault-options.ts';
import { listOf, targetOf, type TargetFlags } from './loadtest-target.ts';
import { addNoticeOptions, receiversOf, type NoticeFlags } from './notice-options.ts';
import { positive } from './number-arguments.ts';

interface RunFlags extends TargetFlags, NoticeFlags, FaultFlags {
  json: boolean;
  out: string;
  report: ReportFormat[];
  metricsUrl?: string[];
  live?: number;
}

/** The exit code of `loadtest run`; what the command prints says why. */
class VerdictExit extends CommandError {
  override readonly exitCode: number;

  constructor(exitCode: number) {
    super('problems-found', '');
    this.exitCode = exitCode;
  }
}

/** Adds `logloom loadtest run|check|explain|compare|history|calibrate` to `logloom loadtest`. */
export function addScenarioCommands(loadtest: Command, context: CommandContext): void {
  const { env, signal, note, endpoint, token, key, json, print, write } = context;
  const list = (value: string): string[] => value.split(',').map((part) => part.trim());

  addCalibrateCommand(loadtest, context);

  const run = loadtest
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
      'addresses of /metrics of all its processes (default: those of --url)',
      list,
    )
    .addOption(
      new Option(
        '--live [port]',
        'show the run on a page on 127.0.0.1 while it goes on (default port: a free one)',
      )
        .argParser(portOf)
        .preset(0),
    )
    .addOption(
      new Option(
        '--target <kind>',
        'what the target speaks (default: that of the scenario, or logloom)',
      ).choices(['logloom', 'ws', 'socket.io', 'sse', 'centrifugo'] satisfies TargetKind[]),
    )
    .option(
      '--url <urls>',
      "the viewers' ports of a running Logloom, over which viewers are spread (default: HOST and LIVE_PORT)",
    )
    .option('--search-url <url>', 'where its /api is, if not at --url')
    .addOption(token)
    .option(
      '--ingest-url <urls>',
      'its ingest ports, over which senders are spread (default: HOST and INGEST_PORT)',
    )
    .option(
      '--syslog <host:port>',
      'where events of the receiver syslog go in (default: the host of --ingest-url, and SYSLOG_PORT); kafka: KAFKA_BROKERS',
    )
    .option(
      '--publish-url <url>',
      'where events go in, of a target other than Logloom: takes JSON lines by POST; ws: gets a message an event; stdin:COMMAND starts a command that gets a line an event',
    )
    .option('--channel <name>', "Centrifugo's channel (default: logs)")
    .addOption(key)
    .addOption(json)
    .addHelpText('after', '\nExit codes: 0 ready; 1 not ready; 2 it could not be run; 3 not shown.')
    .action(async (name: string, options: RunFlags) => {
      const {
        exitCodes,
        judgeRun,
        loadScenario,
        postNotices,
        ProgressLine,
        reportFormats,
        resultLines,
        runScenario,
        undoLeftovers,
        writeReports,
      } = await import('@logloom/loadtest');
      const unknown = options.report.filter((one) => !reportFormats.includes(one));
      if (unknown.length > 0)
        throw new CommandError('command-failed', `there is no report ${unknown.join(', ')}`);
      const scenario = loadScenario(name);
      const journal = faultJournalFolder(env);
      for (const leftover of undoLeftovers(journal)) note(leftover);
      const line = new ProgressLine(process.stderr);
      const target = await targetOf(options, scenario, context);
      await using page = await openPage(options.live, { scenario: scenario.name, target: target.url });
      const findings = await runScenario(
        scenario,
        {
          ...target,
          faults: faultOptionsOf(options, journal),
          ...(options.metricsUrl === undefined ? {} : { metricsUrls: options.metricsUrl }),
          onNotice: note,
          onProgress: (progress) => {
            page?.show(progress);
            if (!options.json) line.show(progress);
          },
        },
        signal,
      ).finally(() => line.end());
      const result = judgeRun(findings, scenario);
      const folder = `${options.out}/${result.startedAt.replace(/[:.]/g, '-')}-${scenario.name}`;
      const files = await writeReports(result, folder, { formats: options.report });
      print(options.json, result, () => [...resultLines(result), '', ...files]);
      const receivers = receiversOf(options);
      const report = options.reportUrl ?? resolve(files.find((file) => file.endsWith('.html')) ?? files[0]!);
      page?.end(result, report);
      if (receivers !== undefined)
        for (const problem of await postNotices(result, report, receivers, signal)) note(pc.yellow(problem));
      if (result.verdict.overall !== 'ready') throw new VerdictExit(exitCodes[result.verdict.overall]);
    });
  for (const option of faultOptions) run.addOption(option);

  addNoticeOptions(run);

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
    .description(
      'say what a scenario will take of this machine (time, memory, sockets, open files, CPU), and what its faults do',
    )
    .argument('<scenario>', 'a file, or the name of one that comes with Logloom')
    .option('--url <urls>', "the viewers' ports that it is for (default: HOST and LIVE_PORT)")
    .addOption(json)
    .action(async (name: string, options: { url?: string; json: boolean }) => {
      const {
        estimate,
        explainFaults,
        loadScenario,
        objectivesOf,
        routesTo,
        thisMachine,
        tooSmall,
        viewersPerProcess,
      } = await import('@logloom/loadtest');
      const scenario = loadScenario(name);
      const urls = listOf(options.url ?? scenario.target?.url);
      const taken = estimate(scenario, viewersPerProcess());
      const found = {
        ...taken,
        tooSmall: tooSmall(taken, routesTo(urls.length > 0 ? urls : [endpoint({}).url]), thisMachine()),
        objectives: objectivesOf(scenario),
        faults: scenario.faults,
      };
      print(options.json, found, () => [
        `${scenario.name}: ${scenario.description}`,
        `${found.seconds} s, up to ${found.viewers} viewers, ${found.events} events, about ${found.deliveries} deliveries`,
        `${found.processes} processes of the generator, with up to ${found.openFiles} connections each (ulimit -n), ${found.sockets} sockets in all`,
        `about ${mebibytes(found.memoryBytes)} of memory of the generator and ${mebibytes(found.kernelBytes)} of the kernel for its sockets, and ${found.cores.toFixed(1)} cores at the peak (as measured: docs/loadtest.md)`,
        ...found.tooSmall.map((limit) => pc.yellow(`too small here: ${limit}`)),
        ...explainFaults(scenario),
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
    .addOption(
      new Option('--threshold <percent>', 'of the baseline, below which a change does not matter')
        .argParser(positive)
        .default(5),
    )
    .addOption(json)
    .action(async (baseline: string, candidate: string, options: { json: boolean; threshold: number }) => {
      const { compare, compareLines } = await import('@logloom/loadtest');
      const comparison = compare(await runsOf(baseline), await runsOf(candidate), options.threshold / 100);
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

  async function openPage(
    port: number | undefined,
    shown: { scenario: string; target: string },
  ): Promise<LivePage | undefined> {
    if (port === undefined) return undefined;
    const { LivePage } = await import('@logloom/loadtest');
    try {
      const page = await LivePage.open(port, shown);
      note(`the run is shown at ${page.url}`);
      return page;
    } catch (error) {
      throw new CommandError('command-failed', `--live ${port}: ${(error as Error).message}`);
    }
  }

  async function runsOf(folder: string): Promise<RunResult[]> {
    const { readRuns } = await import('@logloom/loadtest');
    if (!existsSync(folder)) throw new CommandError('command-failed', `there is no folder ${folder}`);
    const { runs, refused } = await readRuns(folder);
    for (const { path, reason } of refused) note(`${path}: ${reason}`);
    if (runs.length === 0) throw new CommandError('nothing-found', `there is no run in ${folder}`);
    return runs;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new CommandError('command-failed', `--live: ${text} is not a port`);
  return port;
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
