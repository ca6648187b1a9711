import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { jobRecordsContract } from '../contract/job-records.contract.ts';
import { createSqliteJobRecords } from './records.ts';

const root = temporaryFolder('job-records').path;
after(() => rmSync(root, { recursive: true }));

jobRecordsContract('SQLite', async () => createSqliteJobRecords(mkdtempSync(join(root, 'records-'))));

test('what one has put, another of the same folder finds', async () => {
  const folder = mkdtempSync(join(root, 'records-'));
  const [one, other] = [createSqliteJobRecords(folder), createSqliteJobRecords(folder)];
  await one.put('a', '1', 'x');
  assert.equal(await other.get('a', '1'), 'x');
  await Promise.all([one.close(), other.close()]);
});
