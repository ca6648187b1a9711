import { executeTestFile } from './execute-test-file.ts';
import type { Tally } from './tally.ts';

/** Runs a file in a process of its own, and prints a line for it and every failure in full. */
export async function runTestFile(file: string): Promise<Tally> {
  const start = performance.now();
  const { outcomes, output, problem, cpuSeconds } = await executeTestFile(file);
  const failures = outcomes.filter((o) => o.outcome === 'failed');
  // A process that ends badly although no test failed (a crash, a timeout) is a failure of the file.
  if (problem !== '' && failures.length === 0)
    failures.push({ outcome: 'failed', name: file, detail: problem });
  if (outcomes.length + failures.length === 0) {
    failures.push({ outcome: 'failed', name: file, detail: 'there is no test in this file' });
  }
  const seconds = (performance.now() - start) / 1000;
  const tally: Tally = {
    passed: outcomes.filter((o) => o.outcome === 'passed').length,
    failures: failures.map((f) => ({ file, name: f.name })),
    skips: outcomes
      .filter((o) => o.outcome === 'skipped')
      .map((o) => ({ file, name: o.name, reason: o.detail })),
    timings: [{ file, seconds, cpuSeconds }],
  };
  const counts = [`${tally.passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (tally.skips.length > 0) counts.push(`${tally.skips.length} skipped`);
  console.log(
    `${failures.length === 0 ? 'ok  ' : 'FAIL'} ${file}: ${counts.join(', ')} (${seconds.toFixed(1)} s)`,
  );
  for (const { name, detail } of failures) console.log(`\n  failed: ${name}\n${indent(detail)}\n`);
  if (failures.length > 0 && output.trim() !== '') console.log(`  its output:\n${indent(output)}\n`);
  return tally;
}

function indent(lines: string): string {
  return lines.trimEnd().replaceAll(/^/gm, '    ');
}
