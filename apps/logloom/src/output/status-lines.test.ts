import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusLines } from './status-lines.ts';

test('the status says how far the log is ahead of the machine, and was set back; nothing where both agree', () => {
  const status = { version: '1.2.3', uptimeSeconds: 1, consumers: [], counts: {} };
  const lines = (aheadMs: number, setBackMs: number): string =>
    statusLines({ ...status, clock: { aheadMs, setBackMs } }).join('\n');
  assert.match(lines(3_600_000, 0), /the log is 3600 s ahead of the machine's clock/);
  assert.match(lines(0, 86_400_000), /the log's clock was set back by 86400 s/);
  assert.equal(lines(500, 500), statusLines(status).join('\n'));
  assert.equal(statusLines({ ...status, clock: null }).length, 1);
});
