import type { PlacedEvent } from '@logloom/schemas';
import type { Condition, Filter, FilterNode } from '../ast.ts';
import { FilterSubject } from '../filter-subject.ts';
import { compilePredicate } from './compile-predicate.ts';

/** The fields of an event that are known. */
export type KnownFields = Partial<Pick<PlacedEvent, 'service' | 'level' | 'correlationId'>>;

/** Whether an event with these fields matches: true, false, or undefined if it depends on its other fields. */
export type PartialPredicate = (known: KnownFields) => boolean | undefined;

/** The filter over events that are known in part, by Kleene's three-valued logic. */
export function compilePartialPredicate({ ast }: Filter): PartialPredicate {
  return compile(ast);
}

function compile(node: FilterNode): PartialPredicate {
  switch (node.type) {
    case 'all':
      return () => true;
    case 'none':
      return () => false;
    case 'not': {
      const child = compile(node.child);
      return (known) => {
        const value = child(known);
        return value === undefined ? undefined : !value;
      };
    }
    case 'and':
    case 'or': {
      const children = node.children.map(compile);
      const decisive = node.type === 'or';
      return (known) => {
        const values = children.map((child) => child(known));
        if (values.includes(decisive)) return decisive;
        return values.includes(undefined) ? undefined : !decisive;
      };
    }
    default:
      return compileCondition(node);
  }
}

function compileCondition(condition: Condition): PartialPredicate {
  const field = condition.type === 'keyword' ? condition.field : condition.type;
  if (field !== 'service' && field !== 'correlationId' && field !== 'level') return () => undefined;
  const predicate = compilePredicate({ ast: condition, canonical: '' });
  return (known) =>
    known[field] === undefined ? undefined : predicate(new FilterSubject(known as PlacedEvent));
}
