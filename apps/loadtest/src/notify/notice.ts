import { executiveSummary } from '../report/executive-summary.ts';
import type { RunResult } from '../result.ts';

/** The end of a run in few words, for programs and people who were not there. */
export interface Notice {
  run: string;
  scenario: string;
  target: string;
  startedAt: string;
  durationS: number;
  verdict: RunResult['verdict']['overall'];
  grade: string | null;
  /** The verdict with its mark, such as `✗ Not ready`. */
  headline: string;
  sentence: string;
  why: readonly string[];
  whatToDo: readonly string[];
  objectives: { metric: string; outcome: string; value: number | null; bound: number; unit: string }[];
  /** Where the report is: a URL or a path; absent where nobody said. */
  report?: string;
}

export function noticeOf(result: RunResult, report: string | undefined): Notice {
  const { run, scenario, target, startedAt, durationS, verdict } = result;
  const { headline, sentence, why, whatToDo } = executiveSummary(result);
  return {
    run,
    scenario: scenario.name,
    target: target.url,
    startedAt,
    durationS,
    verdict: verdict.overall,
    grade: verdict.grade,
    headline,
    sentence,
    why,
    whatToDo,
    objectives: verdict.objectives.map(({ metric, outcome, value, bound, unit }) => ({
      metric,
      outcome,
      value,
      bound,
      unit,
    })),
    ...(report === undefined ? {} : { report }),
  };
}

/** A line of the page has room for few reasons; the report has all. */
const mostReasons = 5;
/** Slack refuses the text of a section beyond 3,000 characters. */
const mostCharacters = 2_900;

/** The notice as a message of Slack's incoming webhooks: `text` is what notifications show, `blocks` the message itself. */
export function slackMessage(notice: Notice): object {
  const { headline, grade, scenario, sentence, why, report, target } = notice;
  const title = `${headline}${grade === null ? '' : `, grade ${grade}`}: load test ${scenario}`;
  const reasons = why.slice(0, mostReasons).map((reason) => `• ${slackText(reason)}`);
  if (why.length > mostReasons) reasons.push(`• and ${why.length - mostReasons} more`);
  return {
    text: slackText(title),
    blocks: [
      section(`*${slackText(title)}*\n${slackText(sentence)}`),
      ...(reasons.length === 0 ? [] : [section(reasons.join('\n'))]),
      context(
        [`Target ${slackText(target)}`, ...(report === undefined ? [] : [`Report: ${link(report)}`])].join(
          ' · ',
        ),
      ),
    ],
  };
}

function section(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(text) } };
}

function context(text: string): object {
  return { type: 'context', elements: [{ type: 'mrkdwn', text: cut(text) }] };
}

function cut(text: string): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}…`;
}

function link(report: string): string {
  return /^https?:\/\//.test(report) ? `<${slackText(report)}>` : `\`${slackText(report)}\``;
}

/** These three are all that Slack reads as markup of its own (docs.slack.dev, formatting message text). */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
