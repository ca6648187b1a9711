import { escapeControls } from '@logloom/telemetry/escape-controls';
import picocolors from 'picocolors';
import type { Outcome, RunResult } from '../result.ts';
import { boundText, executiveSummary, outcomeNames, valueText } from './executive-summary.ts';

const onTerminal = Boolean(process.stdout.isTTY) && process.stdout.hasColors();

/** The result for a terminal: verdict, objectives, why and what to do. Colored only on a terminal that supports it. */
export function resultLines(result: RunResult, colored: boolean = onTerminal): string[] {
  const pc = picocolors.createColors(colored);
  const color = {
    ready: pc.green,
    met: pc.green,
    'not-ready': pc.red,
    missed: pc.red,
    'not-shown': pc.yellow,
  } as const;
  const { overall, headline, grade, sentence, why, whatToDo } = executiveSummary(result);
  const width = (outcome: Outcome): string => outcomeNames[outcome].padEnd(outcomeNames['not-shown'].length);
  return [
    `${pc.bold(color[overall](headline))}${grade === null ? '' : `, grade ${escapeControls(grade)}`}: ${escapeControls(result.scenario.name)}`,
    escapeControls(sentence),
    '',
    ...result.verdict.objectives.map(
      (one) =>
        `  ${color[one.outcome](width(one.outcome))}  ${escapeControls(`${one.title}: ${valueText(one)}, wanted ${boundText(one)}`)}`,
    ),
    '',
    pc.bold('Why'),
    ...why.map((line) => `  ${escapeControls(line)}`),
    '',
    pc.bold('What to do'),
    ...whatToDo.map((line) => `  ${escapeControls(line)}`),
  ];
}
