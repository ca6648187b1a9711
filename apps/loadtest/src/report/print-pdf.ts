import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ReportError } from './errors.ts';

const browsers = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const printTimeoutMs = 60_000;

/**
 * Prints an HTML file as PDF by Chromium or Chrome: `browser`, or the first on the `PATH`. Throws ReportError `report-no-browser` where there is none,
 * `report-print-failed` with what the browser said where it did not print.
 */
export async function printPdf(htmlFile: string, pdfFile: string, browser?: string): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'logloom-print-'));
  rmSync(pdfFile, { force: true });
  try {
    for (const name of browser === undefined ? browsers : [browser])
      if (await printBy(name, htmlFile, pdfFile, profile)) return;
  } finally {
    // Chromium's own processes may still write there for a moment.
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  throw new ReportError(
    'report-no-browser',
    browser === undefined ? undefined : `no Chromium was found at ${browser} to print the PDF`,
  );
}

/** Returns false where the browser is not there. */
function printBy(browser: string, htmlFile: string, pdfFile: string, profile: string): Promise<boolean> {
  const options = [
    '--headless',
    '--disable-gpu',
    '--no-first-run',
    '--no-pdf-header-footer',
    `--user-data-dir=${profile}`,
    // Chromium refuses to start as root with its sandbox, as in most containers of CI.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    `--print-to-pdf=${pdfFile}`,
    pathToFileURL(htmlFile).href,
  ];
  return new Promise((resolve, reject) => {
    execFile(browser, options, { timeout: printTimeoutMs }, (error, _stdout, stderr) => {
      if (error?.code === 'ENOENT') return resolve(false);
      const size = statSync(pdfFile, { throwIfNoEntry: false })?.size ?? 0;
      if (error === null && size > 0) return resolve(true);
      const said = stderr.trim().split('\n').slice(-3).join(' ') || error?.message || 'it wrote no PDF';
      reject(
        new ReportError('report-print-failed', `${browser} could not print the PDF: ${said}`, {
          ...(error !== null && { cause: error }),
        }),
      );
    });
  });
}
