import type { RunResult } from '../result.ts';
import { executiveSummary, type ExecutiveSummary } from './executive-summary.ts';
import { stageTable, timelineTable } from './raw-tables.ts';
import type { Section, Table } from './report-section.ts';
import { technicalSections } from './technical-sections.ts';

/** What the HTML page and the Markdown file both say, as plain text: each escapes it in its own way. */
export interface ReportContent {
  title: string;
  /** What was run, against what, when, for how long. */
  subtitle: string;
  summary: ExecutiveSummary;
  sections: readonly Section[];
  rawTables: readonly Table[];
}

/** The content of the reports of a run. */
export function reportContent(result: RunResult): ReportContent {
  const { scenario, target, startedAt, durationS, run } = result;
  return {
    title: `Load test ${scenario.name}`,
    subtitle: `${scenario.description} Run ${run} against ${target.kind} at ${target.url}, started at ${startedAt}, ${Math.round(durationS)} s.`,
    summary: executiveSummary(result),
    sections: technicalSections(result),
    rawTables: [stageTable(result), timelineTable(result)],
  };
}
