/**
 * `npm test`: the types, the type check, the lint, then every test; `npm test -- <part of a path>` runs the matching tests only.
 * The last line says `N passed, N failed`. The exit code is 1 when anything failed, when no test was found, and under CI=true when a
 * test was skipped because its engine is missing.
 */
import { runChecks } from './checks.ts';
import { findTests } from './find-tests.ts';
import { runTestFiles } from './run-test-files.ts';
import { addTallies, emptyTally, type Skip } from './tally.ts';

const patterns = process.argv.slice(2);
const { unit, integration } = findTests(patterns);
let total = emptyTally();

// The checks keep one core busy, the unit tests another.
const checks = patterns.length === 0 ? runChecks() : Promise.resolve(emptyTally());
for (const tally of await Promise.all([checks, runTestFiles(unit, patterns.length === 0 ? 1 : 2)]))
  total = addTallies(total, tally);
// Integration tests mostly wait for engines and browsers of their own. More than two side by side would starve each other.
total = addTallies(total, await runTestFiles(longestFirst(integration), 2));

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

/** Those of the whole pipeline take minutes each: begun last, they would leave the other lane idle. */
function longestFirst(files: readonly string[]): string[] {
  return [...files].sort((a, b) => Number(b.startsWith('tests/')) - Number(a.startsWith('tests/')));
}

function isEngineMissing(skip: Skip): boolean {
  return skip.reason.startsWith('engine missing:');
}
