import type { RunResult } from '../result.ts';
import { escapeMarkdown } from './escape-markup.ts';
import { reportContent } from './report-content.ts';
import type { Section, Table } from './report-section.ts';
import { runCharts } from './run-charts.ts';

/** The report as Markdown: the content of the HTML page, with charts as their descriptions. All text of the result is escaped. */
export function markdownReport(result: RunResult): string {
  const { title, subtitle, summary, sections, rawTables } = reportContent(result);
  const grade = summary.grade === null ? '' : `, grade ${escapeMarkdown(summary.grade)}`;
  return `${[
    `# ${escapeMarkdown(title)}`,
    escapeMarkdown(subtitle),
    `## ${escapeMarkdown(summary.headline)}${grade}`,
    escapeMarkdown(summary.sentence),
    '### Why',
    list(summary.why),
    '### What to do',
    list(summary.whatToDo),
    '## Over time',
    'The charts are in report.html.',
    list(
      runCharts(result).map(
        ({ title, description }) =>
          `${title}. ${description === '' ? 'Not measured in this run.' : description}`,
      ),
    ),
    '## Technical part',
    ...sections.flatMap(section),
    '## Raw tables',
    ...rawTables.map(
      (each) => `<details><summary>${escapeMarkdown(each.caption)}</summary>\n\n${table(each)}\n\n</details>`,
    ),
  ].join('\n\n')}\n`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');
}

function section({ title, paragraphs, drawings = [], tables }: Section): string[] {
  return [
    `### ${escapeMarkdown(title)}`,
    ...paragraphs.map(escapeMarkdown),
    ...drawings.flatMap((each) => [`${escapeMarkdown(each.title)}:`, list(each.lines)]),
    ...tables.flatMap((each) => [`${escapeMarkdown(each.caption)}:`, table(each)]),
  ];
}

function table({ columns, rows }: Table): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [row(columns), `|${' --- |'.repeat(columns.length)}`, ...rows.map(row)].join('\n');
}
