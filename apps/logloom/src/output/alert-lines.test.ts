import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { alertCount, alertLines, historyLine, type AlertJson } from './alert-lines.ts';

const alert: AlertJson = {
  fingerprint: '8c1e4f0a9b7d2e63',
  rule: 'failing',
  state: 'firing',
  severity: 'high',
  labels: { service: 'payment' },
  message: 'requests fail',
  condition: 'ratio(errorCount:>0) > 5% in 5m',
  measured: '10.1 %',
  startsAt: '2026-11-28T13:02:31.000000Z',
  occurrences: 1,
  examples: ['4bf9'],
  silencedBy: [],
};
const plain = (lines: string[]): string => stripVTControlCharacters(lines.join('\n'));

test('an alert says what was measured: when it fired, and at its end', () => {
  assert.match(plain(alertLines(alert)), /> 5% in 5m \(it was 10\.1 %\); see 4bf9$/);
  const resolved = { ...alert, state: 'resolved' as const, endsAt: '2026-11-28T13:04:00.000000Z' };
  assert.match(plain(alertLines({ ...resolved, measured: '1.2 %' })), /in 5m \(1\.2 % at the end\)/);
  assert.match(plain(alertLines({ ...alert, measured: undefined! })), /in 5m; see 4bf9$/);
});

test('what happened because of one request names it', () => {
  const entry = { ...alert, type: 'alert', appendedAt: '2026-11-28T13:02:32.000000Z' } as const;
  assert.match(plain([historyLine({ ...entry, correlationId: '4bf9' })]), /service=payment; see 4bf9$/);
  assert.match(plain([historyLine(entry)]), /service=payment$/);
});

test('a count says when there are more than are shown', () => {
  assert.deepEqual(
    [alertCount(1, 1), alertCount(2, 2), alertCount(1, 2), alertCount(0, 0)],
    ['1 alert', '2 alerts', '1 of 2 alerts', '0 alerts'],
  );
});
