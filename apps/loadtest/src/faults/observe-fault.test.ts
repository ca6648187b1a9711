import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observeFaults, type Readings } from './observe-fault.ts';
import type { Tenth } from './tenths.ts';

const lengthS = 60;

/** Events arrive in every tenth within 20 ms; `change` makes it otherwise. */
function readingsOf(
  change: (tenth: Tenth, atS: number) => Partial<Tenth> = () => ({}),
  extra: Partial<Readings> = {},
): Readings {
  const series = (): Tenth[] =>
    Array.from({ length: lengthS * 10 }, (_, tenth) => {
      const usual = { tenth, absent: 0, arrived: 10, worstMs: 20, failed: 0 };
      return { ...usual, ...change(usual, tenth / 10) };
    });
  return {
    viewers: series(),
    sender: series().map((tenth) => ({ ...tenth, absent: 0 })),
    readiness: [],
    untilS: lengthS,
    due: (fromS, toS) => (toS - fromS) * 100,
    mayBeAbsent: () => 0,
    ...extra,
  };
}

const fault = { startedS: 20, endedS: 25 };
const between = (from: number, to: number, atS: number): boolean => atS >= from - 1e-9 && atS < to - 1e-9;

test('a fault is over when everything is as before, not when the first reading is', () => {
  const readings = readingsOf((_, atS) => {
    if (between(20.3, 26, atS)) return { absent: 4 };
    return between(26, 27.5, atS) ? { worstMs: 900 } : {};
  });
  assert.deepEqual(observeFaults([fault], readings), [
    { detectedS: 20.4, detectedBy: 'viewers without a connection', degradedS: 20.3, recoveredS: 27.5 },
  ]);
});

test('silence counts from its beginning, and is told from the silence that was usual before', () => {
  const silent = readingsOf((_, atS) => (between(20.1, 25.2, atS) ? { arrived: 0, worstMs: 0 } : {}));
  const [seen] = observeFaults([fault], silent);
  assert.deepEqual([seen?.detectedBy, seen?.degradedS, seen?.recoveredS], ['no deliveries', 20.1, 25.2]);
  const rare = readingsOf(({ tenth }) => (tenth % 10 === 0 ? {} : { arrived: 0, worstMs: 0 }));
  assert.equal(observeFaults([fault], rare)[0]?.detectedS, null);
  const notDue = { ...silent, due: () => 0 };
  assert.equal(observeFaults([fault], notDue)[0]?.detectedS, null);
});

test('what comes late was missing from when it was due: a part of the viewers may be cut off without a word', () => {
  const readings = readingsOf((_, atS) => (between(25.1, 25.2, atS) ? { worstMs: 4_000 } : {}));
  assert.deepEqual(observeFaults([fault], readings), [
    { detectedS: 25.2, detectedBy: 'late deliveries', degradedS: 21.1, recoveredS: 25.2 },
  ]);
});

test('a fault that nothing shows is neither detected nor recovered from', () => {
  const never = { detectedS: null, detectedBy: null, degradedS: null, recoveredS: null };
  assert.deepEqual(observeFaults([fault], readingsOf()), [never]);
  // Nothing is known of the time before the first second.
  const early = readingsOf((_, atS) => (atS < 5 ? { absent: 3 } : {}));
  assert.deepEqual(observeFaults([{ startedS: 0.5, endedS: 0.5 }], early), [never]);
});

test('a fault that is not over at the end of the scenario has no time of recovery', () => {
  const readings = readingsOf((_, atS) => (atS >= 21 ? { failed: 2 } : {}));
  const [seen] = observeFaults([fault], readings);
  assert.deepEqual([seen?.detectedBy, seen?.recoveredS], ['failed connections', null]);
});

test('readiness alone is a detection, but nobody has less for it', () => {
  const readiness = [
    { atS: 19.9, isReady: true },
    { atS: 20.2, isReady: false },
    { atS: 24.2, isReady: true },
  ];
  assert.deepEqual(observeFaults([fault], readingsOf(undefined, { readiness })), [
    { detectedS: 20.2, detectedBy: 'readiness', degradedS: null, recoveredS: 25 },
  ]);
});

test('what was before a second fault counts from the recovery of the first', () => {
  const second = { startedS: 28, endedS: 28 };
  const readings = readingsOf((_, atS) =>
    between(20, 26.5, atS) || between(28, 30, atS) ? { worstMs: 400 } : {},
  );
  const [first, later] = observeFaults([fault, second], readings);
  assert.deepEqual([first?.recoveredS, later?.degradedS, later?.recoveredS], [26.5, 28, 30]);
});

test('viewers that connect for the first time, or that the scenario churns, are no departure', () => {
  const readings = readingsOf((_, atS) => (between(21, 22, atS) ? { absent: 3 } : {}), {
    mayBeAbsent: () => 3,
  });
  assert.equal(observeFaults([fault], readings)[0]?.detectedS, null);
});
