import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { emptyTally, type Tally } from './tally.ts';

const checks: { name: string; commands: string[][] }[] = [
  { name: 'types from the contracts', commands: [['node', 'libs/schemas/src/generate-types.ts']] },
  {
    name: 'type check',
    commands: [
      ['tsc', '-p', 'tsconfig.json'],
      ['tsc', '-p', 'apps/console/tsconfig.page.json'],
    ],
  },
  {
    name: 'lint and format',
    commands: [
      ['eslint', '.', '--max-warnings=0'],
      ['prettier', '--check', '.'],
    ],
  },
];

/** Runs the checks one after the other and prints each; each counts as one test. */
export async function runChecks(): Promise<Tally> {
  const tally = emptyTally();
  for (const { name, commands } of checks) {
    const start = performance.now();
    const problems: string[] = [];
    for (const command of commands) problems.push(...(await problemsOf(command)));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
    for (const problem of problems) console.log(problem);
    if (problems.length === 0) tally.passed++;
    else tally.failures.push({ file: 'checks', name });
  }
  return tally;
}

/** What a command said, if it failed. */
async function problemsOf([program, ...args]: string[]): Promise<string[]> {
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `exit ${code ?? signal}`));
  });
  const [out, err, failure] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return failure === '' ? [] : [`${out}${err}${program}: ${failure}`];
}
