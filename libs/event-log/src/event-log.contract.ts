import { after, before, describe } from 'node:test';
import { appendTests } from './contract/append.ts';
import { consumeTests } from './contract/consume.ts';
import { followTests } from './contract/follow.ts';
import { epochTests, gapTests } from './contract/gaps.ts';
import { groupTests } from './contract/groups.ts';
import type { Bench, Capabilities, OpenedLog } from './contract/harness.ts';
import { readTests } from './contract/read.ts';
import { retentionTests } from './contract/retention.ts';
import { topicTests } from './contract/topics.ts';

export type { Capabilities, OpenedLog } from './contract/harness.ts';

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
