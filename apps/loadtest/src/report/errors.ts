import { CodedError, declareErrors, type CodeOf } from '@logloom/errors';

/** What keeps the report of a load test from being written. */
export const reportErrors = declareErrors({
  'report-no-browser': {
    retriable: false,
    message: 'no Chromium was found to print the PDF',
    where: '`logloom loadtest`',
    cause: 'A report as PDF is printed by Chromium or Chrome, and none is on the `PATH`.',
    action: 'Install one (Debian: `chromium`), or leave out the PDF. The other reports were written.',
  },
  'report-print-failed': {
    retriable: true,
    message: 'the PDF could not be printed',
    where: '`logloom loadtest`',
    cause: 'Chromium ended with an error, took too long, or wrote no PDF. The message has what it said.',
    action:
      'Fix what the message names and write the reports again. The other reports were written, and `report.html` can be printed by hand.',
  },
});

export type ReportErrorCode = CodeOf<typeof reportErrors>;

export class ReportError extends CodedError<ReportErrorCode> {
  constructor(code: ReportErrorCode, message?: string, options: ErrorOptions = {}) {
    super(reportErrors, code, message, options);
  }
}
