import { after, before, describe } from 'node:test';
import { appendTests } from './append.ts';
import { consumeTests } from './consume.ts';
import { followTests } from './follow.ts';
import { epochTests, gapTests } from './gaps.ts';
import { groupTests } from './groups.ts';
import type { Bench, Capabilities, OpenedLog } from './harness.ts';
import { readTests } from './read.ts';
import { retentionTests } from './retention.ts';
import { topicTests } from './topics.ts';

export type { Capabilities, OpenedLog } from './harness.ts';

/**
 * Registers the tests that every adapter of the port passes. `open` is called once, before them; the log is closed after them.
 * Topics and groups have names of their own, so the log may be shared and need not be empty.
 */
export function eventLogContract(
  name: string,
  open: () => Promise<OpenedLog>,
  capabilities: Capabilities = {},
): void {
  describe(`${name} keeps the contract of EventLog`, () => {
    let bench: Bench | undefined;
    before(async () => {
      bench = { ...(await open()), capabilities: { exactTrim: true, trimsNow: true, ...capabilities } };
    });
    after(async () => bench?.log.close());
    const opened = (): Bench => bench!;
    describe('topics', () => topicTests(opened));
    describe('append', () => appendTests(opened));
    describe('read', () => readTests(opened));
    describe('follow', () => followTests(opened));
    describe('consume', () => consumeTests(opened));
    describe('groups', () => groupTests(opened));
    describe('retention', () => retentionTests(opened));
    describe('gaps', () => gapTests(opened));
    describe('epochs', () => epochTests(opened));
  });
}
