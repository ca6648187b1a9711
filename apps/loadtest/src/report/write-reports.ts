import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../result.ts';
import { htmlReport } from './html-report.ts';
import { junitXml } from './junit-xml.ts';
import { markdownReport } from './markdown-report.ts';
import { printPdf } from './print-pdf.ts';
import { prometheusText } from './prometheus-text.ts';
import { timelineCsv } from './timeline-csv.ts';

/** The reports in the order in which they are written: the PDF last, because it can fail. */
export const reportFormats = ['json', 'html', 'markdown', 'csv', 'junit', 'prometheus', 'pdf'] as const;

export type ReportFormat = (typeof reportFormats)[number];

export interface ReportOptions {
  /** `json` is always written: all others can be made from it again. */
  formats: readonly ReportFormat[];
  /** Chromium or Chrome for the PDF; by default the first on the `PATH`. */
  browser?: string;
}

/**
 * Writes the reports of a run into a folder, which it makes, and returns their files. Reports of an earlier run there are replaced. Throws as
 * {@link printPdf}, after all other reports were written, and errors of the file system.
 */
export async function writeReports(
  result: RunResult,
  folder: string,
  { formats, browser }: ReportOptions,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const written: string[] = [];
  for (const format of reportFormats.filter((one) => one === 'json' || formats.includes(one))) {
    const file = join(folder, fileNames[format]);
    if (format === 'pdf') await writePdf(result, file, browser);
    else writeFileSync(file, await texts[format](result));
    written.push(file);
  }
  return written;
}

const fileNames: Readonly<Record<ReportFormat, string>> = {
  json: 'result.json',
  html: 'report.html',
  markdown: 'report.md',
  csv: 'timeline.csv',
  junit: 'junit.xml',
  prometheus: 'metrics.prom',
  pdf: 'report.pdf',
};

const texts: Readonly<Record<Exclude<ReportFormat, 'pdf'>, (result: RunResult) => string | Promise<string>>> =
  {
    json: (result) => `${JSON.stringify(result, null, 2)}\n`,
    html: htmlReport,
    markdown: markdownReport,
    csv: timelineCsv,
    junit: junitXml,
    prometheus: prometheusText,
  };

async function writePdf(result: RunResult, file: string, browser: string | undefined): Promise<void> {
  const page = `${file}.html`;
  writeFileSync(page, htmlReport(result));
  try {
    await printPdf(page, file, browser);
  } finally {
    rmSync(page, { force: true });
  }
}
