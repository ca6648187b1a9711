import { globSync } from 'node:fs';

/** The test files under the current folder, those whose path contains one of the patterns (all, when there is none), sorted. */
export function findTests(patterns: string[]): { unit: string[]; integration: string[] } {
  const files = globSync('**/*.test.ts', { exclude: (name) => name === 'node_modules' || name === '.nx' })
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
  return {
    unit: files.filter((file) => !file.endsWith('.int.test.ts')),
    integration: files.filter((file) => file.endsWith('.int.test.ts')),
  };
}
