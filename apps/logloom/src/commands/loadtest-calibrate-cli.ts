import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { CommandError } from './command-errors.ts';
import { positive } from './number-arguments.ts';

interface CalibrateFlags {
  show: boolean;
  runs: number;
  only?: string[];
  seed: number;
  out: string;
  json: boolean;
}

/** A run in which the generator was the limit is made again so often. */
const attempts = 3;

/** Adds `logloom loadtest calibrate` to `logloom loadtest`. */
export function addCalibrateCommand(
  loadtest: Command,
  { env, signal, note, json, print }: CommandContext,
): void {
  loadtest
    .command('calibrate')
    .description(
      'run short scenarios with one known fault each against servers of its own, and say how often the cause that the analysis names is right',
    )
    .option('--show', 'only show the figures of the runs that ship with the load test', false)
    .option('--runs <n>', 'runs of each fault', positive, 3)
    .option('--only <faults>', 'of them, separated by commas', (value: string) => value.split(','))
    .option(
      '--seed <n>',
      'draws load, time and dose of the first run; the next has the next seed',
      positive,
      1,
    )
    .option(
      '--out <folder>',
      'where runs and figures are kept; those there count too',
      'loadtest-calibration',
    )
    .addOption(json)
    .addHelpText('after', '\nA run takes about a minute. Needs Linux, and user namespaces for the full disk.')
    .action(async ({ show, runs, only, seed, out, json: asJson }: CalibrateFlags) => {
      const { calibrate, calibrationLines, injections, keepRun, readKnownRuns, runInjection, shippedRuns } =
        await import('@logloom/loadtest');
      const kinds = only ?? Object.keys(injections);
      const unknown = kinds.filter((kind) => !(kind in injections));
      if (unknown.length > 0)
        throw new CommandError(
          'command-failed',
          `there is no fault ${unknown.join(', ')}; there are ${Object.keys(injections).join(', ')}`,
        );
      // Its servers have the default settings, whatever this one has.
      const { PATH, HOME, TMPDIR } = env;
      const program = { main: process.argv[1]!, environment: { PATH, HOME, TMPDIR } };
      for (let i = 0; !show && i < runs; i++)
        for (const kind of kinds)
          for (let attempt = 0; attempt < attempts && !signal.aborted; attempt++) {
            const drawn = seed + i + attempt * 1_000;
            note(`${kind}, run ${i + 1} of ${runs}, seed ${drawn}`);
            if (keepRun(await runInjection(kind, drawn, program, signal), out)) break;
            note(`${kind}: the generator or its machine was the limit, so the run does not count`);
          }
      const calibration = calibrate(readKnownRuns(show ? shippedRuns : out));
      print(asJson, calibration, () => calibrationLines(calibration));
    });
}
