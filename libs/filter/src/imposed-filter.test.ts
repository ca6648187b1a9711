import type { PlacedEvent } from '@logloom/schemas';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corpusEvents, corpusFilters } from './contract/filter-corpus.ts';
import {
  checkComplexity,
  compilePartialPredicate,
  compilePredicate,
  FilterSubject,
  intersect,
  parseFilter,
  type Filter,
} from './index.ts';

function parsed(text: string): Filter {
  const result = parseFilter(text);
  assert.ok(result.ok, text);
  return result.filter;
}

const events = corpusEvents.map((event) => new FilterSubject(event));
const filters = corpusFilters.map(parsed);

test('an intersection matches what both match, whatever their texts', () => {
  const some = fc.constantFrom(...filters);
  fc.assert(
    fc.property(some, some, (a, b) => {
      const [both, first, second] = [intersect(a, b), a, b].map(compilePredicate);
      for (const event of events) assert.equal(both!(event), first!(event) && second!(event));
      assert.equal(intersect(a, b).canonical, intersect(b, a).canonical);
    }),
  );
});

test('no text that is a filter gets out of an intersection', () => {
  const imposed = parsed('service:mine');
  const attempts = [
    '* OR service:other',
    'service:mine) OR (service:other',
    'NOT service:mine',
    '(a) OR NOT b',
  ];
  for (const text of attempts) {
    const result = parseFilter(text);
    if (!result.ok) continue;
    const matches = compilePredicate(intersect(imposed, result.filter));
    for (const subject of events)
      assert.ok(!matches(subject) || subject.event.service === 'mine', `${text}: ${subject.event.id}`);
  }
});

test('what is known in part decides only what it can decide', () => {
  const known = ({ service, level, correlationId }: PlacedEvent) => ({ service, level, correlationId });
  for (const filter of filters) {
    const partly = compilePartialPredicate(filter);
    const wholly = compilePredicate(filter);
    for (const subject of events) {
      const decided = partly(known(subject.event));
      if (decided !== undefined) assert.equal(decided, wholly(subject), filter.canonical);
    }
  }
  const decided = compilePartialPredicate(parsed('service:a OR (level:error AND host:h)'));
  assert.equal(decided({ service: 'a' }), true);
  assert.equal(decided({ service: 'b', level: 'info' }), false);
  assert.equal(decided({ service: 'b', level: 'error' }), undefined);
});

test('a filter over a limit is told which', () => {
  const limits = { terms: 3, depth: 2, wildcards: 2 };
  const problem = (text: string) => checkComplexity(parsed(text), limits)?.message;
  assert.equal(problem('service:a* AND (host:b? OR level:error)'), undefined);
  assert.equal(problem('a AND b AND c AND d'), 'the filter has 4 conditions; 3 are allowed');
  assert.equal(problem('message:"a b c d"'), 'the filter has 4 conditions; 3 are allowed');
  assert.equal(
    problem('a OR (b AND NOT (service:c OR host:d))'),
    'the filter has 4 conditions; 3 are allowed',
  );
  assert.equal(problem('a OR NOT (b AND c)'), 'the filter has 3 levels of AND, OR and NOT; 2 are allowed');
  assert.equal(problem('service:a*b*c*'), 'the filter has 3 wildcards; 2 are allowed');
  assert.equal(problem('host:*'), undefined, 'existence');
});
