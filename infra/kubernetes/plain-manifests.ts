import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../local/run-command.ts';

export const chartFolder = join(import.meta.dirname, 'chart');
const valuesFolder = join(import.meta.dirname, 'values');
export const plainFolder = join(import.meta.dirname, 'plain');

/** The plain manifests, and the files of values that each is made with, one over the other. */
export const plainManifests = {
  'single.yaml': ['single.yaml'],
  'services.yaml': ['services.yaml'],
  'services-canary.yaml': ['services.yaml', 'canary.yaml'],
} as const satisfies Record<string, readonly string[]>;

/** What `helm template` makes of the chart with these files of `values/`, one over the other. Throws with Helm's message. */
export async function renderChart(
  helm: string,
  values: readonly string[],
  more: readonly string[] = [],
): Promise<string> {
  const files = values.flatMap((file) => ['--values', join(valuesFolder, file)]);
  const release = ['logloom', chartFolder, '--namespace', 'logloom', '--skip-tests'];
  return runCommand(helm, ['template', ...release, ...files, ...more]);
}

/** A plain manifest as it is kept: with a line that says what it was made of, so that a change of the chart alone is noticed. */
export async function plainManifest(helm: string, values: readonly string[]): Promise<string> {
  const rendered = await renderChart(helm, values);
  const sources = values.map((file) => `values/${file}`).join(' and ');
  return `# Made by \`node infra/kubernetes/render.ts\` from the chart and ${sources}: change those.\n# ${sourcesLine(values)}\n${rendered}`;
}

/** Stands for the chart and files of values. The version is left out: a release writes it into the manifests itself. */
export function sourcesLine(values: readonly string[]): string {
  const files = globSync('**/*', { cwd: chartFolder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const hash = createHash('sha256');
  for (const file of [...files, ...values.map((file) => join(valuesFolder, file))])
    hash.update(readFileSync(file, 'utf8').replaceAll(/^(version|appVersion):.*$/gm, ''));
  return `Sources: sha256:${hash.digest('hex')}`;
}
