import { executeTests, type Execution } from './execute-tests.ts';
import { addTallies, emptyTally, type Tally } from './tally.ts';
import type { TestOutcome } from './test-event-reporter.ts';

interface FileResult extends Pick<Execution, 'outcomes' | 'output' | 'problem'> {
  file: string;
  /** Undefined for a file that shared its process. */
  timing: { seconds: number; cpuSeconds: number } | undefined;
}

/** Runs a file in a process of its own, and prints a line for it and every failure in full. */
async function runTestFile(file: string): Promise<Tally> {
  const start = performance.now();
  const { outcomes, output, problem, cpuSeconds } = await executeTests([file]);
  const seconds = (performance.now() - start) / 1000;
  return report({ file, outcomes, output, problem, timing: { seconds, cpuSeconds } });
}

/** Runs the files in one process, one after the other, and reports each as runTestFile() does. */
export async function runTogether(files: readonly string[]): Promise<Tally> {
  if (files.length === 1) return runTestFile(files[0]!);
  const start = performance.now();
  const { outcomes, output, problem, cpuSeconds } = await executeTests(files);
  let total = emptyTally();
  if (problem !== '' && !outcomes.some(({ outcome }) => outcome === 'failed')) {
    console.log(`${problem}, though no test failed: each of its ${files.length} files runs alone`);
    for (const file of files) total = addTallies(total, await runTestFile(file));
    return total;
  }
  for (const file of files)
    total = addTallies(
      total,
      report({ file, outcomes: outcomesOf(file, outcomes), output, problem: '', timing: undefined }),
    );
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `     ${files.length} files in one process (${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU)`,
  );
  const timing = { file: `${files[0]!} and ${files.length - 1} more`, seconds, cpuSeconds };
  return { ...total, timings: [timing] };
}

/** What became of the tests of a file that has run with others, under the names that they have when it runs alone. */
function outcomesOf(file: string, outcomes: readonly TestOutcome[]): TestOutcome[] {
  const prefix = `${file} > `;
  return outcomes
    .filter(({ name }) => name === file || name.startsWith(prefix))
    .map((outcome) => ({ ...outcome, name: outcome.name.replace(prefix, '') }));
}

function report({ file, outcomes, output, problem, timing }: FileResult): Tally {
  const failures = outcomes.filter((o) => o.outcome === 'failed');
  // A process that ends badly although no test failed (a crash, a timeout) is a failure of the file.
  if (problem !== '' && failures.length === 0)
    failures.push({ outcome: 'failed', name: file, detail: problem });
  if (outcomes.length + failures.length === 0) {
    failures.push({ outcome: 'failed', name: file, detail: 'there is no test in this file' });
  }
  const tally: Tally = {
    passed: outcomes.filter((o) => o.outcome === 'passed').length,
    failures: failures.map((f) => ({ file, name: f.name })),
    skips: outcomes
      .filter((o) => o.outcome === 'skipped')
      .map((o) => ({ file, name: o.name, reason: o.detail })),
    timings: timing === undefined ? [] : [{ file, ...timing }],
  };
  const counts = [`${tally.passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (tally.skips.length > 0) counts.push(`${tally.skips.length} skipped`);
  const seconds =
    timing === undefined ? '' : ` (${timing.seconds.toFixed(1)} s, ${timing.cpuSeconds.toFixed(1)} s of CPU)`;
  console.log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${file}: ${counts.join(', ')}${seconds}`);
  for (const { name, detail } of failures) console.log(`\n  failed: ${name}\n${indent(detail)}\n`);
  if (failures.length > 0 && output.trim() !== '') console.log(`  its output:\n${indent(output)}\n`);
  return tally;
}

function indent(lines: string): string {
  return lines.trimEnd().replaceAll(/^/gm, '    ');
}
