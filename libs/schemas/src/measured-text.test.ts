import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measuredText } from './measured-text.ts';

test('what was measured is told in the unit of the first comparison, rounded', () => {
  const texts: [condition: string, value: number, text: string][] = [
    ['ratio(errorCount:>0) > 5% and count >= 20 in 5m', 0.10112359550561797, '10.1 %'],
    ['ratio(level:error) < 2% in 5m', 0, '0 %'],
    ['p95(durationMs) > 2s and count >= 50 in 10m', 2070, '2.07 s'],
    ['p99_9(attributes.took) > 200ms in 10m', 234.4321, '234 ms'],
    ['max(durationMs) > 100 in 1m', 90_000, '1.5 min'],
    ['avg(bytes) > 1000000 in 1m', 1234567.8, '1234568'],
    ['avg(bytes) > 1 in 1m', 75.77500009536743, '75.8'],
    ['rate > 10/s in 10s', 12.3456, '12.3/s'],
    ['rate >= 1 / m in 5m', 7, '7/m'],
    ['count >= 20 in 5m', 12345, '12345'],
    ['sum(bytes) < 50% of yesterday in 1h', 3.14159, '3.14'],
    ['', 0.123456, '0.123'],
  ];
  for (const [condition, value, text] of texts) assert.equal(measuredText(condition, value), text, condition);
});
