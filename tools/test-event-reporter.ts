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
