export { knownLayouts, knownWrappers } from '../layouts/all-layouts.ts';
export type { Layout, TextEvent } from '../layouts/layout.ts';
export { formatProblems, loadFormats } from './load-formats.ts';
export { parseFormats, type FormatProblem, type FormatsResult } from './parse-formats.ts';
export type { UserFormats } from './user-formats.ts';
