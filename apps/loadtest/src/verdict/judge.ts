import type { ObjectiveResult, Verdict } from '../result.ts';
import { gradeOf } from './grade.ts';
import { withinLimits } from './generator-limit.ts';
import { judgeReading } from './judge-reading.ts';
import type { Measured } from './measured.ts';
import { metricNamed, objectiveProblems, type Objective } from './objective.ts';

/** Exit code of a run by its verdict. */
export const exitCodes = { ready: 0, 'not-ready': 1, 'not-shown': 3 } as const satisfies Record<
  Verdict['overall'],
  number
>;

/**
 * Judges a run. Never calls an objective met for want of data: what the run does not show is `not-shown`, with what to run to decide.
 *
 * @throws RangeError naming every problem of the objectives
 */
export function judge(result: Measured, objectives: readonly Objective[]): Verdict {
  const problems = objectiveProblems(objectives);
  if (problems.length) throw new RangeError(problems.join('; '));
  const results = objectives.map((objective) => judgeObjective(result, objective));
  const overall = overallOf(results);
  return { overall, objectives: results, grade: gradeOf(overall, results) };
}

function overallOf(results: readonly ObjectiveResult[]): Verdict['overall'] {
  if (results.some(({ outcome }) => outcome === 'missed')) return 'not-ready';
  return results.length > 0 && results.every(({ outcome }) => outcome === 'met') ? 'ready' : 'not-shown';
}

function judgeObjective(result: Measured, objective: Objective): ObjectiveResult {
  const metric = metricNamed(objective.metric);
  const relation = objective.atMost !== undefined ? 'at-most' : 'at-least';
  const bound = (objective.atMost ?? objective.atLeast)!;
  const asked = { result, bound, relation, unit: metric.unit, toDecide: metric.toDecide } as const;
  return {
    metric: metric.name,
    title: metric.title,
    relation,
    bound,
    unit: metric.unit,
    ...withinLimits(judgeReading(metric.read(result), asked), metric, asked),
  };
}
