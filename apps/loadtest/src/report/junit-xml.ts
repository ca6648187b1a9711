import type { ObjectiveResult, RunResult } from '../result.ts';
import { escapeMarkup } from './escape-markup.ts';
import { boundText, executiveSummary, valueText } from './executive-summary.ts';

interface TestCase {
  name: string;
  outcome: ObjectiveResult['outcome'];
  message: string;
  detail: string;
}

/**
 * The objectives as test cases for CI: missed ones failed, not shown ones skipped with their reason. A verdict that no objective explains is a case
 * of its own, so that nothing that is not ready passes.
 */
export function junitXml(result: RunResult): string {
  const { scenario, startedAt, durationS } = result;
  const cases = [...result.verdict.objectives.map(objectiveCase), ...verdictCase(result)];
  const of = (outcome: TestCase['outcome']): number => cases.filter((one) => one.outcome === outcome).length;
  const totals = `tests="${cases.length}" failures="${of('missed')}" errors="0" skipped="${of('not-shown')}" time="${durationS}"`;
  const suite = escapeMarkup(`loadtest.${scenario.name}`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${totals}>
  <testsuite name="${suite}" ${totals} timestamp="${escapeMarkup(startedAt)}">
${cases.map((one) => `    <testcase classname="${suite}" name="${escapeMarkup(one.name)}" time="0">${outcomeXml(one)}</testcase>`).join('\n')}
  </testsuite>
</testsuites>
`;
}

function objectiveCase(objective: ObjectiveResult): TestCase {
  return {
    name: `${objective.metric}: ${objective.title}`,
    outcome: objective.outcome,
    message: objective.reason,
    detail: `wanted ${boundText(objective)}, measured ${valueText(objective)}`,
  };
}

function verdictCase(result: RunResult): TestCase[] {
  const { overall, objectives } = result.verdict;
  if (overall === 'ready') return [];
  const outcome = overall === 'not-ready' ? 'missed' : 'not-shown';
  if (objectives.some((objective) => objective.outcome === outcome)) return [];
  const { sentence, why } = executiveSummary(result);
  return [{ name: 'verdict', outcome, message: sentence, detail: why.join('\n') }];
}

function outcomeXml({ outcome, message, detail }: TestCase): string {
  switch (outcome) {
    case 'met':
      return '';
    case 'missed':
      return `<failure message="${escapeMarkup(message)}" type="objective-missed">${escapeMarkup(detail)}</failure>`;
    case 'not-shown':
      return `<skipped message="${escapeMarkup(message)}"/>`;
  }
}
