import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeByTime } from './merge-by-time.ts';

async function* file(bodies: readonly string[]): AsyncGenerator<{ body: string }> {
  for (const body of bodies) yield { body };
}

async function merged(...files: string[][]): Promise<string[]> {
  const found: string[] = [];
  for await (const { body } of mergeByTime(files.map((bodies) => () => file(bodies)))) found.push(body);
  return found;
}

const at = (seconds: number, name: string): string => JSON.stringify({ ts: 1_700_000_000 + seconds, name });

test('sorted files become one sorted stream; equal times keep the order of the files', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(9)), { maxLength: 4 }), async (times) => {
      const files = times.map((of, f) => of.toSorted().map((seconds, i) => at(seconds, `${f}-${i}`)));
      const all = files.flat();
      const order = new Map(all.map((body, i) => [body, i]));
      const secondsOf = (body: string): number => (JSON.parse(body) as { ts: number }).ts;
      const sorted = all.toSorted((a, b) => secondsOf(a) - secondsOf(b) || order.get(a)! - order.get(b)!);
      assert.deepEqual(await merged(...files), sorted);
    }),
  );
});

test('a line without a time, or one that is earlier than the line before, stays behind that', async () => {
  const first = [at(1, 'a'), 'no JSON', '{"message":"no time"}', at(9, 'b'), at(2, 'late')];
  const second = [at(5, 'c'), at(10, 'd')];
  assert.deepEqual(await merged(first, second), [
    ...first.slice(0, 3),
    second[0],
    ...first.slice(3),
    second[1],
  ]);
});

test('only files are open whose times overlap', async () => {
  let [open, most] = [0, 0];
  const files = Array.from({ length: 600 }, (_, i) => [at(2 * i, `a${i}`), at(2 * i + 3, `b${i}`)]);
  async function* counted(bodies: readonly string[]): AsyncGenerator<{ body: string }> {
    most = Math.max(most, ++open);
    try {
      yield* file(bodies);
    } finally {
      open--;
    }
  }
  const found: number[] = [];
  const shuffled = files.toSorted((a, b) => (a[0]! < b[0]! ? 1 : -1));
  for await (const { body } of mergeByTime(shuffled.map((bodies) => () => counted(bodies))))
    found.push((JSON.parse(body) as { ts: number }).ts);
  assert.deepEqual(
    found,
    found.toSorted((a, b) => a - b),
  );
  assert.equal(found.length, 1200);
  assert.equal(open, 0);
  assert.ok(most <= 4, String(most));
});

test('a file without a time keeps its place: only the files between two such are merged', async () => {
  const mark = (name: string): string => JSON.stringify({ message: name });
  const found = await merged(
    [at(5, 'a')],
    [at(1, 'b'), at(6, 'b2')],
    [mark('one')],
    [at(3, 'c')],
    [],
    [mark('two'), mark('three')],
    [mark('begins without'), at(2, 'd')],
    [at(1, 'e')],
  );
  assert.deepEqual(found, [
    at(1, 'b'),
    at(5, 'a'),
    at(6, 'b2'),
    mark('one'),
    at(3, 'c'),
    mark('two'),
    mark('three'),
    at(1, 'e'),
    mark('begins without'),
    at(2, 'd'),
  ]);
});
