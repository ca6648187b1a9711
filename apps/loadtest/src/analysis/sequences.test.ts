import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../verdict/seeded.ts';
import type { Symptom, SymptomKind } from './analysis-result.ts';
import { cascadeOf } from './cascade.ts';
import { sequencesOf } from './sequences.ts';

const at = (kind: SymptomKind, fromS: number): Symptom => ({
  kind,
  component: 'live',
  fromS,
  toS: fromS + 1,
  amount: 1,
  unit: '',
  usual: 0,
  detail: '',
});

test('what follows three times within seconds is beyond chance, and only in that direction', () => {
  const symptoms = [100, 250, 400].flatMap((fromS) => [
    at('server-busy', fromS),
    at('deliveries-late', fromS + 2),
  ]);
  const [first, ...others] = sequencesOf(symptoms, 600);
  assert.deepEqual(
    [first!.first, first!.then, first!.followed, first!.of],
    ['server-busy', 'deliveries-late', 3, 3],
  );
  assert.ok(first!.beyondChance && first!.p < 0.05);
  // By chance 10 of 600 seconds are followed by each of the three.
  assert.ok(Math.abs(first!.expected - (3 * 30) / 600) < 1e-9);
  assert.ok(others.every(({ beyondChance }) => !beyondChance));
});

test('one sequence alone, and what begins in the same second, show no order', () => {
  assert.ok(
    sequencesOf([at('server-busy', 50), at('deliveries-late', 52)], 100).every((each) => !each.beyondChance),
  );
  assert.deepEqual(
    sequencesOf(
      [10, 40, 70].flatMap((fromS) => [at('server-busy', fromS), at('deliveries-late', fromS)]),
      100,
    ),
    [],
  );
});

test('of runs in which symptoms come by chance at most 5 in 100 have a sequence', () => {
  let found = 0;
  for (let seed = 0; seed < 400; seed++) {
    const random = seeded(seed);
    const kinds = ['server-busy', 'deliveries-late', 'sends-failed'] as const;
    const symptoms = kinds.flatMap((kind) =>
      Array.from({ length: 4 }, () => at(kind, Math.floor(random() * 600))),
    );
    if (sequencesOf(symptoms, 600).some(({ beyondChance }) => beyondChance)) found++;
  }
  assert.ok(found <= 32, `${found} of 400`);
});

test('a cascade links each symptom with the latest before it, and marks what is beyond chance', () => {
  const symptoms = [
    at('server-busy', 10),
    at('deliveries-late', 12),
    at('sends-failed', 15),
    at('connect-failures', 40),
  ];
  const members = [0, 1, 2, 3];
  assert.deepEqual(
    cascadeOf(members, symptoms, []).map(({ from, to, afterS }) => [from, to, afterS]),
    [
      [0, 1, 2],
      [1, 2, 3],
    ],
  );
  const beyond = {
    first: 'server-busy',
    then: 'sends-failed',
    followed: 3,
    of: 3,
    expected: 0.1,
    p: 0.01,
    beyondChance: true,
  } as const;
  assert.deepEqual(
    cascadeOf(members, symptoms, [beyond]).filter((link) => link.beyondChance),
    [{ from: 0, to: 2, afterS: 5, beyondChance: true }],
  );
});
