import { appendFileSync, readFileSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/** One test's outcome, as a line of JSON from the test's process. */
export interface TestOutcome {
  outcome: 'passed' | 'failed' | 'skipped';
  /** The names of the test and of those around it, joined by ' > '. */
  name: string;
  /** Why it was skipped, or the error it failed with. */
  detail: string;
}

// Runs in the test's own process, at its end: what it and the processes that it has waited for, engines among them, have cost.
const usageFile = process.env['TEST_USAGE_FILE'];
if (usageFile !== undefined) process.once('exit', () => appendFileSync(usageFile, String(cpuSeconds())));

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  // The fields behind the name in parentheses: proc_pid_stat(5), cutime and cstime, in hundredths of a second.
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (user + system) / 1e6 + (Number(fields[13]) + Number(fields[14])) / 100;
}

/** A reporter for Node's test runner: one JSON line a test. Suites count only when they fail or are skipped as a whole. */
export default async function* testEventReporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const names: string[] = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      names.length = data.nesting;
      names.push(data.name);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const name = [...names.slice(0, data.nesting), data.name].join(' > ');
    const skip = data.skip ?? data.todo;
    const isSuite = data.details.type === 'suite';
    if (skip !== undefined)
      yield line('skipped', name, typeof skip === 'string' && skip !== '' ? skip : 'no reason given');
    else if (type === 'test:fail') {
      const { error } = data.details;
      // Its subtests are reported themselves.
      if ('failureType' in error && error.failureType === 'subtestsFailed') continue;
      yield line('failed', name, inspect(error.cause ?? error, { depth: 6 }));
    } else if (!isSuite) yield line('passed', name, '');
  }
}

function line(outcome: TestOutcome['outcome'], name: string, detail: string): string {
  return `${JSON.stringify({ outcome, name, detail } satisfies TestOutcome)}\n`;
}
