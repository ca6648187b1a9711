/**
 * `npm test`: the types, the type check, the lint, and every test; `npm test -- <part of a path>` runs the matching tests only.
 * `--unit` runs the unit tests only, `--integration` the others; neither runs the checks.
 * The last line says `N passed, N failed`. The exit code is 1 when anything failed, when no test was found, and under CI=true when a
 * test was skipped because its engine is missing.
 */
import { parseArgs } from 'node:util';
import { runChecks } from './checks.ts';
import { findTests } from './find-tests.ts';
import { groupTests } from './group-tests.ts';
import { runJobs } from './run-jobs.ts';
import { runTogether } from './run-tests.ts';
import type { Skip } from './tally.ts';

/**
 * An integration test waits half of its time, for a lease, a session or an engine's start: three keep two cores busy. Their full versions
 * have the cores to themselves.
 */
const lanes = process.env['LOGLOOM_FULL'] === '1' ? 2 : 3;

const { values: only, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: { unit: { type: 'boolean', default: false }, integration: { type: 'boolean', default: false } },
});
const found = findTests(patterns);
const unit = only.integration ? [] : found.unit;
const integration = only.unit ? [] : found.integration;
const isWhole = patterns.length === 0 && !only.unit && !only.integration;

const jobs = groupTests({ unit, integration }).map((files) => () => runTogether(files));
const total = await runJobs(isWhole ? [runChecks, ...jobs] : jobs, lanes);

const cpuSeconds = total.timings.reduce((sum, timing) => sum + timing.cpuSeconds, 0);
console.log(
  `the tests took ${cpuSeconds.toFixed(0)} s of CPU; the slowest files, in seconds, and in seconds of CPU:`,
);
const slowest = total.timings.toSorted((a, b) => b.seconds - a.seconds).slice(0, 25);
for (const { file, seconds, cpuSeconds: cpu } of slowest)
  console.log(`${seconds.toFixed(1).padStart(7)} ${cpu.toFixed(1).padStart(7)}  ${file}`);
// Again at the end: a long log is often read from there.
for (const failure of total.failures) console.log(`failed: ${failure.file} > ${failure.name}`);
for (const skip of total.skips) console.log(`skipped: ${skip.file} > ${skip.name}: ${skip.reason}`);
const missing = total.skips.filter(isEngineMissing);
if (process.env['CI'] === 'true' && missing.length > 0) {
  console.log(`tests without their engine: ${missing.length}; in CI that is a failure`);
  process.exitCode = 1;
}
if (unit.length + integration.length === 0) console.log(`no test file matches ${patterns.join(' ')}`);
if (total.failures.length > 0 || total.passed === 0) process.exitCode = 1;
const skipped = total.skips.length > 0 ? `, ${total.skips.length} skipped` : '';
console.log(`${total.passed} passed, ${total.failures.length} failed${skipped}`);

function isEngineMissing(skip: Skip): boolean {
  return skip.reason.startsWith('engine missing:');
}
