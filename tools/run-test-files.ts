import { executeTestFile } from './execute-test-file.ts';
import { addTallies, emptyTally, type Tally } from './tally.ts';

/** Runs each file in a process of its own, `concurrency` at a time, and prints a line for each and every failure in full. */
export async function runTestFiles(files: string[], concurrency: number): Promise<Tally> {
  const waiting = [...files];
  let total = emptyTally();
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const tally = await runTestFile(file);
      total = addTallies(total, tally);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return total;
}

async function runTestFile(file: string): Promise<Tally> {
  const start = performance.now();
  const { outcomes, output, problem } = await executeTestFile(file);
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
  };
  const counts = [`${tally.passed} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (tally.skips.length > 0) counts.push(`${tally.skips.length} skipped`);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${failures.length === 0 ? 'ok  ' : 'FAIL'} ${file}: ${counts.join(', ')} (${seconds} s)`);
  for (const { name, detail } of failures) console.log(`\n  failed: ${name}\n${indent(detail)}\n`);
  if (failures.length > 0 && output.trim() !== '') console.log(`  its output:\n${indent(output)}\n`);
  return tally;
}

function indent(lines: string): string {
  return lines.trimEnd().replaceAll(/^/gm, '    ');
}
