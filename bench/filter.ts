/**
 * What a filter costs the live tier: microseconds per event for the compiled predicates over one FilterSubject, beside the same
 * filters evaluated the plain way (the AST walked, words and attributes recreated for each filter). Prints the ratio.
 */
import { availableParallelism } from 'node:os';
import { levels, type PlacedEvent } from '@logloom/schemas';
import { attributeValues, compilePredicate, FilterSubject, parseFilter, tokenize } from '@logloom/filter';
import type { Filter, FilterNode } from '@logloom/filter';
import { generateCorpusEvents } from '@logloom/filter/corpus';

const eventCount = 2000;
const events = generateCorpusEvents(eventCount).map((event) => ({
  ...event,
  message: `${event.message} GET /api/v1/orders/${event.offset} answered in ${event.offset % 97} ms, request id 741fa7ccaec683f1f39e3ec7`,
}));

const words = ['time', 'foo', 'bar', 'timeout', 'orders', 'answered'];
const templates: ((i: number) => string)[] = [
  (i) => `level:>=${levels[i % 6]!} AND message:${words[i % 6]!}`,
  (i) => `message:"${words[i % 6]!} ${words[(i + 1) % 6]!}" OR http.status:>=${400 + i}`,
  (i) => `service:pay* AND user.id:${i}`,
  (i) => `${words[i % 6]!} AND NOT host:web-${i}`,
  (i) => `message:${i} AND level:error`,
];
const filters = Array.from({ length: 200 }, (_, i) => {
  const result = parseFilter(templates[i % templates.length]!(i));
  if (!result.ok) throw new Error(result.error.message);
  return result.filter;
});

function compiled(chosen: readonly Filter[]): () => number {
  const predicates = chosen.map(compilePredicate);
  return () => {
    let matches = 0;
    for (const event of events) {
      const subject = new FilterSubject(event);
      for (const predicate of predicates) if (predicate(subject)) matches++;
    }
    return matches;
  };
}

function plain(chosen: readonly Filter[]): () => number {
  return () =>
    events.reduce((sum, event) => sum + chosen.filter(({ ast }) => interpret(ast, event)).length, 0);
}

/** The language as these filters use it. */
function interpret(node: FilterNode, event: PlacedEvent): boolean {
  switch (node.type) {
    case 'and':
      return node.children.every((child) => interpret(child, event));
    case 'or':
      return node.children.some((child) => interpret(child, event));
    case 'not':
      return !interpret(node.child, event);
    case 'level':
      return node.levels.includes(event.level);
    case 'words':
      return ` ${tokenize(event.message).join(' ')} `.includes(` ${node.words.join(' ')} `);
    case 'keyword': {
      const value = event[node.field];
      if (value === null) return false;
      if (node.match.type === 'equals') return value === node.match.value;
      if (node.match.type !== 'matches') throw new Error(`not in the benchmark: ${node.match.type}`);
      return new RegExp(`^${node.match.glob.replaceAll('*', '.*')}$`, 'su').test(value);
    }
    case 'attribute': {
      const { match } = node;
      const values = attributeValues(event.attributes).get(node.path) ?? [];
      if (match.type === 'equals') return values.some((value) => String(value) === match.value);
      if (match.type !== 'within') throw new Error(`not in the benchmark: ${match.type}`);
      return values.some(
        (value) => value !== '' && typeof value !== 'boolean' && Number(value) >= match.min!.value,
      );
    }
    default:
      return node.type === 'all';
  }
}

/** The best of `rounds`, in microseconds per event: the machine may be busy with something else. */
function measure(run: () => number, rounds: number): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return (best * 1000) / events.length;
}

console.log(
  `node ${process.version}, ${availableParallelism()} cores, ${eventCount} generated events, best of 9 rounds (plain: 5)`,
);
console.log('filters   compiled µs/event   plain µs/event   ratio');
for (const count of [1, 20, 200]) {
  const chosen = filters.slice(0, count);
  const [fast, slow] = [compiled(chosen), plain(chosen)];
  if (fast() !== slow()) throw new Error('the two evaluations disagree');
  const [fastMicros, slowMicros] = [measure(fast, 9), measure(slow, 5)];
  const cells = [
    String(count).padEnd(7),
    fastMicros.toFixed(2).padStart(19),
    slowMicros.toFixed(2).padStart(16),
  ];
  console.log(`${cells.join(' ')} ${(slowMicros / fastMicros).toFixed(1).padStart(7)}`);
}
