import type { WindowRule } from '../window/window-rule.ts';
import { inOrder } from './judge.ts';
import type { Mark } from './slots.ts';

const isFirst = 1;
const isNext = 2;

/** A mark with the step in which it counts. */
export interface SteppedMark {
  mark: Mark;
  step: number;
}

/** The place of a mark, which identifies its event. */
export function placeOf([, partition, offset]: Mark): string {
  return `${partition}-${offset}`;
}

/**
 * The events that complete the rule's sequence among the marks of one key, by their places, in order. Of `then`, the one that follows; an event
 * that passes both is a first one. Of `without`, the first one that nothing followed in time: known once `judgedMs` is so much later than the
 * step in which it counted.
 */
export function matchSequence(rule: WindowRule, marks: readonly SteppedMark[], judgedMs: number): Mark[] {
  const { kind, times, withinMs } = rule.sequence!;
  const withinMicros = withinMs * 1000;
  const sorted = inOrder(marks.map(({ mark }) => mark));
  if (kind === 'then') {
    const matches: Mark[] = [];
    let firsts: number[] = [];
    for (const mark of sorted) {
      const [timestamp, , , bits] = mark;
      if ((bits & isFirst) !== 0) {
        firsts.push(timestamp);
        continue;
      }
      const inTime = firsts.filter((first) => first >= timestamp - withinMicros);
      if (inTime.length >= times) matches.push(mark);
      firsts = [];
    }
    return matches;
  }
  const steps = new Map(marks.map(({ mark, step }) => [placeOf(mark), step]));
  return sorted.filter((mark, i) => {
    if ((mark[3] & isFirst) === 0) return false;
    if ((steps.get(placeOf(mark))! + 1) * rule.stepMs + withinMs > judgedMs) return false;
    for (let k = i + 1; k < sorted.length && sorted[k]![0] <= mark[0] + withinMicros; k++)
      if (sorted[k]![3] === isNext) return false;
    return true;
  });
}
