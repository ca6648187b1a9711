import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LogClock } from './log-clock.ts';

const hourMs = 3_600_000;
const startMs = 1e12;

/** What the clock has advanced by when it has read these append times, which begin at `startMs`. */
function advancedBy(offsetsMs: readonly number[]): { advancedMs: number; setbacks: number } {
  const clock = new LogClock({ now: 0, mark: startMs });
  for (const offsetMs of offsetsMs) clock.advance(startMs + offsetMs);
  return { advancedMs: clock.nowMs, setbacks: clock.setbacks };
}

describe("the log's clock", () => {
  test('continues at the same pace where a clock that was hours ahead is set back', () => {
    assert.deepEqual(advancedBy([1000, 5 * hourMs, 2000, 3000]), {
      advancedMs: 5 * hourMs + 1000,
      setbacks: 1,
    });
  });

  test('advances again and again where a partition moves between machines of which one is an hour ahead', () => {
    const seconds = Array.from({ length: 10 }, (_, i) => 1000 * i + (i % 2) * hourMs);
    const { advancedMs, setbacks } = advancedBy(seconds);
    assert.ok(advancedMs >= 9000);
    assert.equal(setbacks, 4);
  });

  test('does not go back, nor stand still for longer than it was ahead, where a clock drifts back slowly', () => {
    // Each second shows half a second less than the one before, for two minutes; then the clock is right.
    const drifting = Array.from({ length: 120 }, (_, i) => -500 * i);
    const after = Array.from({ length: 60 }, (_, i) => -60_000 + 1000 * i);
    const { advancedMs, setbacks } = advancedBy([...drifting, ...after]);
    assert.ok(advancedMs >= 59_000, `${advancedMs} ms`);
    assert.ok(setbacks > 0);
  });

  test('stands still for small differences, which count as none', () => {
    assert.deepEqual(advancedBy([1000, 400, 900, 1000, 1100]), { advancedMs: 1100, setbacks: 0 });
  });
});
