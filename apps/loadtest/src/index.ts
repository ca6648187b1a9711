export type { RunResult } from './result.ts';
