import type { CodeOf } from '@logloom/errors';
import type { rulesErrors } from './errors.ts';

export type RulesErrorCode = CodeOf<typeof rulesErrors>;

/** What is wrong with a rules file, and where; line and column count from 1. */
export interface RuleProblem {
  line: number;
  column: number;
  code: RulesErrorCode;
  message: string;
}

/** The problem as compilers write it: file:line:column: message (code). */
export function formatProblem(file: string, { line, column, code, message }: RuleProblem): string {
  return `${file}:${line}:${column}: ${message} (${code})`;
}
