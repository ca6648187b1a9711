import type { CodeOf } from '@logloom/errors';
import type { receiversErrors } from '../errors.ts';

export type ReceiversErrorCode = CodeOf<typeof receiversErrors>;

/** What is wrong with a receivers file, and where; line and column count from 1. */
export interface ReceiversProblem {
  line: number;
  column: number;
  code: ReceiversErrorCode;
  message: string;
}

/** The problem as compilers write it: file:line:column: message (code). */
export function formatReceiversProblem(
  file: string,
  { line, column, code, message }: ReceiversProblem,
): string {
  return `${file}:${line}:${column}: ${message} (${code})`;
}
