import { leadText } from './analysis-sections.ts';
import type { DeliveryResult, Finding, ObjectiveResult, Outcome, RunResult } from '../result.ts';
import { generatorWasTheLimit } from '../verdict/generator-limit.ts';
import { formatCount, formatMs, formatNumber } from './format-quantity.ts';

/** For a reader who decides and does not operate: the verdict, why, and what to do. */
export interface ExecutiveSummary {
  overall: RunResult['verdict']['overall'];
  headline: string;
  grade: string | null;
  sentence: string;
  why: readonly string[];
  whatToDo: readonly string[];
}

const headlines = {
  ready: '✓ Ready',
  'not-ready': '✗ Not ready',
  'not-shown': '? Not shown',
} as const;

/** With a mark each, so that no colour is needed to tell them apart. */
export const outcomeNames: Readonly<Record<Outcome, string>> = {
  met: '✓ met',
  missed: '✗ missed',
  'not-shown': '? not shown',
};

/** The verdict of a run in words. Nothing in it says more than the result does. */
export function executiveSummary(result: RunResult): ExecutiveSummary {
  const { overall, objectives, grade } = result.verdict;
  return {
    overall,
    headline: headlines[overall],
    grade,
    sentence: sentenceOf(overall, objectives),
    why: whyOf(result),
    whatToDo: whatToDo(result),
  };
}

/** The bound of an objective: `at most 100 ms`. */
export function boundText({ relation, bound, unit }: ObjectiveResult): string {
  return `${relation === 'at-most' ? 'at most' : 'at least'} ${formatNumber(bound)} ${unit}`.trim();
}

export function valueText({ value, unit }: ObjectiveResult): string {
  return value === null ? 'not measured' : `${formatNumber(value)} ${unit}`.trim();
}

export interface DeliveryFinding {
  /** As a label of a metric. */
  reason: string;
  title: string;
  finding: Finding;
}

/** The findings of delivery that must be none, in the order in which they matter. */
export function deliveryFindings(delivery: DeliveryResult): DeliveryFinding[] {
  return [
    { reason: 'lost', title: 'lost without an announcement', finding: delivery.lost },
    {
      reason: 'under-announced',
      title: 'missing beyond what gaps announced',
      finding: delivery.underAnnounced,
    },
    { reason: 'corrupted', title: 'corrupted', finding: delivery.corrupted },
    { reason: 'duplicated', title: 'duplicated', finding: delivery.duplicated },
    { reason: 'disordered', title: 'out of order', finding: delivery.disordered },
    { reason: 'unexpected', title: 'not matched by the filter', finding: delivery.unexpected },
    {
      reason: 'over-announced',
      title: 'announced as missing but not missing',
      finding: delivery.overAnnounced,
    },
  ];
}

function sentenceOf(
  overall: RunResult['verdict']['overall'],
  objectives: readonly ObjectiveResult[],
): string {
  const total = objectives.length;
  const of = (outcome: Outcome): number =>
    objectives.filter((objective) => objective.outcome === outcome).length;
  const tally = `Of ${total} objectives, ${of('met')} met, ${of('missed')} missed, ${of('not-shown')} not shown.`;
  switch (overall) {
    case 'ready':
      return `The system did what was asked of it under this load. ${tally}`;
    case 'not-ready':
      return `The system did not do what was asked of it under this load. ${tally}`;
    case 'not-shown':
      return `This run does not show whether the system is ready: that is neither a pass nor a failure. ${tally}`;
  }
}

function whyOf(run: RunResult): string[] {
  const { verdict, delivery, generator, analysis } = run;
  const of = (outcome: Outcome): ObjectiveResult[] =>
    verdict.objectives.filter((objective) => objective.outcome === outcome);
  const findings = deliveryFindings(delivery).filter(({ finding }) => finding.count > 0);
  const accounted = delivery.received + delivery.announced;
  return [
    ...of('missed').map(
      (one) => `Missed: ${one.title}. Measured ${valueText(one)}, wanted ${boundText(one)}; ${one.reason}.`,
    ),
    ...findings.map(
      ({ title, finding }) =>
        `Deliveries ${title}: ${formatCount(finding.count)}, at ${formatCount(finding.viewers)} of ${formatCount(delivery.viewers.checked)} viewers.`,
    ),
    ...generator.limits.map((limit) => `The load generator was at a limit: ${limit}.`),
    ...(analysis?.lead ? [`Leading cause of what went wrong: ${leadText(analysis.lead)}.`] : []),
    ...(analysis === undefined || analysis.saturation.outcome === 'not-shown'
      ? []
      : [
          `Saturation ${analysis.saturation.outcome === 'reached' ? 'reached' : 'not reached'}: ${analysis.saturation.reason}.`,
        ]),
    ...sameReason(of('not-shown')).map(([reason, titles]) => `Not shown: ${titles.join('; ')}; ${reason}.`),
    `${formatCount(delivery.received)} of ${formatCount(delivery.expected)} expected deliveries arrived once, ${formatCount(delivery.announced)} were left out with an announcement, and ${formatCount(delivery.expected - accounted)} are missing.`,
    ...(delivery.latency.p95 === null || generatorWasTheLimit(run)
      ? []
      : [
          `Of all deliveries 95 % took ${formatMs(delivery.latency.p95)} or less, and 99 % ${formatMs(delivery.latency.p99)} or less.`,
        ]),
  ];
}

function whatToDo(run: RunResult): string[] {
  const { verdict, delivery, faults } = run;
  const findings = deliveryFindings(delivery).filter(({ finding }) => finding.count > 0);
  const actions = [
    ...faults
      .filter(({ undone }) => !undone)
      .map(({ kind, detail }) => `Undo the fault ${kind} by hand (${detail}): the run could not.`),
    ...findings.map(({ title, finding: { example } }) =>
      example === null
        ? `Find out why deliveries were ${title}.`
        : `Find out why deliveries were ${title}. Begin with viewer ${example.viewer} at ${formatNumber(example.atS)} s, cursor ${example.cursor ?? 'unknown'}${example.lookUp === null ? '' : `; ${example.lookUp} prints the event`}.`,
    ),
    ...verdict.objectives
      .filter(({ outcome }) => outcome === 'missed')
      .map((one) => `Bring “${one.title}” to ${boundText(one)}, then run the scenario again.`),
    ...(generatorWasTheLimit(run)
      ? ['Run the scenario again with a generator that has more processes or machines of its own.']
      : []),
    ...sameReason(verdict.objectives.filter(({ outcome }) => outcome === 'not-shown')).map(
      ([reason, titles]) =>
        titles.length === 1
          ? `To decide “${titles[0]}”: ${reason}.`
          : `To decide ${titles.length} objectives: ${reason}.`,
    ),
  ];
  if (actions.length > 0) return actions;
  if (verdict.overall === 'ready')
    return ['Nothing before a release. Keep result.json as the baseline that later runs are compared with.'];
  return ['Read the objectives below: none of them alone explains the verdict.'];
}

/** Titles by their reason: a generator at its limit is one reason for nearly all. */
function sameReason(objectives: readonly ObjectiveResult[]): [reason: string, titles: string[]][] {
  const grouped = Map.groupBy(objectives, ({ reason }) => reason);
  return [...grouped].map(([reason, of]) => [reason, of.map(({ title }) => title)]);
}
