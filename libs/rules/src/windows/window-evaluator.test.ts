import type { PlacedEvent } from '@logloom/schemas';
import { FilterSubject } from '@logloom/filter';
import { placedEvent } from '@logloom/testing';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { parseRules, type RuleSet } from '../parse-rules.ts';
import { decodeContributions, encodeContributions } from './encode-contributions.ts';
import {
  limitRule,
  WindowEvaluator,
  type EvaluatorSnapshot,
  type OrderedChange,
} from './window-evaluator.ts';
import { WindowInput } from './window-input.ts';

function read(text: string): RuleSet {
  const result = parseRules(text);
  assert.ok(result.ok, JSON.stringify(result));
  return result.rules;
}

const rules = read(`rules:
  - { name: count, when: level:error, by: [service], window: 5s, if: count >= 3, for: 2s, until: count < 2 }
  - { name: sum, when: '*', by: [service], window: 4s, if: sum(ms) > 1.2 and min(ms) < 0.9 }
  - { name: p90, when: '*', window: 6s, if: p90(ms) > 0.8 and distinct(service) >= 2 }
  - { name: more, when: '*', by: [service], window: 3s, if: count > 150% of previous }
  - { name: absent, when: '*', by: [service], window: 4s, if: absent, forget: 20s }
  - { name: flaps, when: '*', by: [service], window: 5s, if: flapping(level:error) >= 3 }
  - { name: then, when: level:info, times: 2, then: level:error, by: [service], within: 3s, resolve: 4s }
  - { name: without, when: level:info, without: level:error, by: [service], within: 2s, resolve: 3s }
  - { name: new, when: '*', window: 3s, if: new(service) }
`);
const begin = 1_700_000_000_000;

interface Sent {
  atMs: number;
  service: string;
  isError: boolean;
  ms: number;
  input: number;
}

function eventOf({ atMs, service, isError, ms }: Sent, offset: number): PlacedEvent {
  return placedEvent(offset, {
    timestamp: atMs * 1000,
    service,
    level: isError ? 'error' : 'info',
    attributes: JSON.stringify({ ms }),
  });
}

interface Part {
  input: number;
  clockMs: number;
  text: string;
}

/** What each input says, in the order of its own. */
function partsOf(sent: readonly Sent[], inputs: number, cutMs: number, endMs: number): Part[][] {
  return Array.from({ length: inputs }, (_, input) => {
    const counted = new WindowInput(rules.windows);
    const parts: Part[] = [];
    let cutAtMs = begin;
    sent.forEach((each, offset) => {
      if (each.input % inputs !== input) return;
      if (each.atMs >= cutAtMs + cutMs) {
        parts.push({ input, clockMs: each.atMs, text: encodeContributions(counted.take()) });
        cutAtMs = each.atMs;
      }
      counted.addEvent(new FilterSubject(eventOf(each, offset)), each.atMs);
    });
    parts.push({ input, clockMs: endMs, text: encodeContributions(counted.take()) });
    return parts;
  });
}

const parse = (text: string): RuleSet => read(text);

/** The changes when the inputs take turns as `order` says, with restarts. */
function run(parts: Part[][], order: readonly number[], restarts: ReadonlySet<number>): string[] {
  let evaluator = new WindowEvaluator(parts.length);
  const changes: OrderedChange[] = [];
  const left = parts.map((list) => [...list]);
  for (let turn = 0; left.some((list) => list.length > 0); turn++) {
    const some = left.filter((list) => list.length > 0);
    const { input, clockMs, text } = some[(order[turn % order.length] ?? 0) % some.length]!.shift()!;
    const contributions = decodeContributions(text);
    changes.push(...evaluator.add({ input, clockMs, rules, sinceMs: begin, contributions }));
    if (restarts.has(turn)) {
      const state = deserialize(serialize(evaluator.snapshot)) as EvaluatorSnapshot;
      evaluator = WindowEvaluator.restored(state, parse);
    }
  }
  return changes.map(({ rule, key, state, atMs, startsMs, value, count, index }) =>
    JSON.stringify([rule.name, key, state, atMs, startsMs, value, count, index]),
  );
}

const sentEvents = fc
  .array(
    fc.record({
      afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 7000 })),
      service: fc.constantFrom('a', 'b', 'c'),
      isError: fc.boolean(),
      ms: fc.constantFrom(0.1, 0.2, 0.3, 0.7, 0.85, 1.5),
      input: fc.nat(2),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((list) => {
    let atMs = begin + 17;
    return list.map(({ afterMs, ...rest }): Sent => ({ ...rest, atMs: (atMs += afterMs) }));
  });

test('the key of a rule without key fields is judged by the part that it belongs to, and by no other', () => {
  const keyless = read(`rules:
  - { name: quiet, when: '*', window: 4s, if: absent }
  - { name: few, when: '*', window: 4s, if: count < 2 }
`);
  const parts = [0, 1, 2].map(
    (part) => new WindowEvaluator(1, { part, parts: 3, ownsKeyless: () => part === 1 }),
  );
  const counted = new WindowInput(keyless.windows);
  const changes: string[] = [];
  for (let second = 0; second < 40; second++) {
    const atMs = begin + second * 1000;
    if (second < 20)
      counted.addEvent(
        new FilterSubject(eventOf({ atMs, service: 'a', isError: false, ms: 1, input: 0 }, second)),
        atMs,
      );
    const taken = counted.take();
    parts.forEach((evaluator, part) => {
      const contributions = part === 1 ? taken : [];
      const cut = { input: 0, clockMs: atMs + 1000, rules: keyless, sinceMs: begin, contributions };
      for (const { rule, state } of evaluator.add(cut)) changes.push(`${part} ${rule.name} ${state}`);
    });
  }
  assert.deepEqual(changes, ['1 few firing', '1 quiet firing']);
  assert.deepEqual(
    parts.map(({ keys }) => keys),
    [0, 2, 0],
  );
});

test('the changes follow from what was sent: not from the inputs, their parts, who speaks first, or restarts', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      sentEvents,
      fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(60), { maxLength: 5 }),
      fc.constantFrom(1000, 1700, 4000),
      (sent, order, restarts, cutMs) => {
        const endMs = sent.at(-1)!.atMs + 30_000;
        const expected = run(partsOf(sent, 1, 1000, endMs), [0], new Set());
        for (const change of expected) {
          const [name, , state] = JSON.parse(change) as string[];
          seen.add(`${name} ${state}`);
        }
        assert.deepEqual(run(partsOf(sent, 3, cutMs, endMs), order, new Set(restarts)), expected);
      },
    ),
    { numRuns: 400 },
  );
  for (const { name } of rules.windows)
    for (const state of ['firing', 'resolved']) assert.ok(seen.has(`${name} ${state}`), `${name} ${state}`);
  assert.ok(seen.has('count pending'));
});

test('a changed file resolves the alerts of rules that it no longer has, and leaves the state of the others', () => {
  const one = `  - { name: one, when: '*', window: 60s, if: count >= 2 }\n`;
  const two = `  - { name: two, when: '*', window: 60s, if: count >= 2 }\n`;
  const [both, first] = [read(`rules:\n${one}${two}`), read(`rules:\n${one}`)];
  const evaluator = new WindowEvaluator(1);
  const changes: string[] = [];
  const add = (set: RuleSet, events: number, fromMs: number, toMs: number, sinceMs: number): void => {
    const input = new WindowInput(set.windows);
    for (let i = 0; i < events; i++) input.addEvent(new FilterSubject(placedEvent(i)), fromMs);
    const cut = { input: 0, clockMs: toMs, rules: set, sinceMs, contributions: input.take() };
    for (const { rule, state, atMs } of evaluator.add(cut))
      changes.push(`${atMs - begin} ${rule.name} ${state}`);
  };
  add(both, 2, begin, begin + 10_000, begin);
  add(first, 1, begin + 10_000, begin + 50_000, begin + 10_000);
  add(first, 0, 0, begin + 200_000, begin + 10_000);
  assert.deepEqual(changes, [
    '2000 one firing',
    '2000 two firing',
    '10000 two resolved',
    '62000 one resolved',
  ]);
  assert.deepEqual(
    evaluator.status.map(({ name }) => name),
    ['one'],
  );
});

test('keys beyond the memory are forgotten, the silent ones first, and an alert says so until it is enough again', () => {
  const set = read(`limits: { ruleBytes: 1048576 }
rules:
  - { name: many, when: '*', by: [user], window: 60s, if: count >= 3 }
`);
  const evaluator = new WindowEvaluator(1);
  const changes: OrderedChange[] = [];
  const input = new WindowInput(set.windows);
  let offset = 0;
  for (let second = 0; second < 1200; second++) {
    const atMs = begin + second * 1000;
    const event = (user: string): void =>
      input.addEvent(
        new FilterSubject(placedEvent(offset++, { attributes: JSON.stringify({ user }) })),
        atMs,
      );
    if (second < 20) for (let i = 0; i < 200; i++) event(`user-${second}-${i}`);
    if (second % 10 === 0) event('steady');
    changes.push(
      ...evaluator.add({
        input: 0,
        clockMs: atMs + 1000,
        rules: set,
        sinceMs: begin,
        contributions: input.take(),
      }),
    );
    assert.ok(evaluator.bytes <= 1_048_576, `${evaluator.bytes} bytes`);
  }
  assert.ok(evaluator.evicted > 0);
  assert.deepEqual(
    changes.map(({ rule, key, state }) => [rule.name, key[0], state]),
    [
      [limitRule, 'many', 'firing'],
      ['many', 'steady', 'firing'],
      [limitRule, 'many', 'resolved'],
    ],
  );
});

test('a window is compared with an earlier one only once the rule has seen that one whole', () => {
  const set = read(`rules: [{ name: growing, when: '*', window: 10s, if: count > 150% of previous }]`);
  const evaluator = new WindowEvaluator(1);
  const fired: number[] = [];
  const input = new WindowInput(set.windows);
  // Steady, three a second, from the middle of what would be the earlier window on; then six.
  for (let second = 0; second < 40; second++) {
    for (let i = 0; i < (second < 30 ? 3 : 6); i++)
      input.addEvent(new FilterSubject(placedEvent(i)), begin + second * 1000);
    const cut = { input: 0, clockMs: begin + (second + 1) * 1000, rules: set, sinceMs: begin };
    for (const { state, atMs } of evaluator.add({ ...cut, contributions: input.take() }))
      if (state === 'firing') fired.push((atMs - begin) / 1000);
  }
  assert.deepEqual(fired, [36]);
});

test('at the end the step that is not over is judged, but not what is missing', () => {
  const set = read(`rules:
  - { name: some, when: '*', window: 60s, if: count >= 1 }
  - { name: none, when: '*', window: 60s, if: absent }
`);
  const evaluator = new WindowEvaluator(1);
  const input = new WindowInput(set.windows);
  input.addEvent(new FilterSubject(placedEvent(0)), begin + 59_500);
  const cut = { input: 0, clockMs: begin + 59_500, rules: set, sinceMs: begin, contributions: input.take() };
  const changes = [...evaluator.add(cut), ...evaluator.end(begin + 59_500)];
  assert.deepEqual(
    changes.map(({ rule, state, atMs }) => [rule.name, state, atMs - begin]),
    [['some', 'firing', 60_000]],
  );
});
