import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';

export const rulesFolder = join(import.meta.dirname, 'rules');
export const ruleFiles = globSync('*.yaml', { cwd: rulesFolder })
  .sort()
  .map((file) => join(rulesFolder, file));

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
}

/** Every rule of `rules/`, with the name of its file. */
export function readRules(): (Rule & { file: string })[] {
  return ruleFiles.flatMap((path) => {
    const { groups } = parse(readFileSync(path, 'utf8')) as { groups: { rules: Rule[] }[] };
    return groups.flatMap(({ rules }) => rules.map((rule) => ({ ...rule, file: basename(path) })));
  });
}

/** The page of an alert in docs/runbooks: LogloomDiskFull has disk-full.md. */
export function runbookOf(alert: string): string {
  const words = alert.replace(/^Logloom/, '').replaceAll(/(?<!^)[A-Z]/g, '-$&');
  return `docs/runbooks/${words.toLowerCase()}.md`;
}
