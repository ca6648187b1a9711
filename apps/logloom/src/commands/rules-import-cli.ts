import type { ImportedRule } from '@logloom/rules/import';
import { escapeControls } from '@logloom/telemetry/escape-controls';
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { colors as pc } from '../output/colors.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError } from './command-errors.ts';

/** Adds `logloom rules examples` and `logloom rules import`. */
export function addRuleSourceCommands(rules: Command, { write, note, json }: CommandContext): void {
  rules
    .command('examples')
    .description(
      'print rules to begin with: errors, 5xx, slow requests, silence, logins, full disks and others',
    )
    .addHelpText(
      'after',
      '\n  logloom rules examples > rules.yaml && CORRELATION_RULES=rules.yaml logloom up',
    )
    .action(async () => {
      const { exampleRulesFile } = await import('@logloom/rules/rules-file');
      write(readFileSync(exampleRulesFile, 'utf8').trimEnd());
    });

  rules
    .command('import')
    .description('translate rules of Sigma, and alerting rules of Loki or Prometheus, into a rules file')
    .argument('<file...>', 'YAML: rules and correlations of Sigma, groups of a ruler')
    .option('--mapping <file>', 'how fields, labels and log sources are called here, YAML (docs/rules.md)')
    .addOption(json)
    .addHelpText(
      'after',
      '\nThe rules go to standard output, the report of each rule to standard error; with --json, both are in one object.' +
        '\nExit code 1 when a rule could not be translated. What differs from the original is a comment above the rule, too.',
    )
    .action(async (paths: string[], options: { mapping?: string; json: boolean }) => {
      const { importRules, noMapping, parseMapping } = await import('@logloom/rules/import');
      const read = options.mapping === undefined ? undefined : parseMapping(readText(options.mapping));
      if (read?.ok === false) throw new CommandError('command-failed', `${options.mapping}: ${read.message}`);
      const files = paths.map((name) => ({ name, text: readText(name) }));
      const result = importRules(files, read?.mapping ?? noMapping);
      if (options.json) write(JSON.stringify(result));
      else {
        reportLines(result.rules, result.problems).forEach(note);
        if (result.rules.some(({ rule }) => rule !== null)) write(result.yaml.trimEnd());
      }
      const isWhole = result.rules.every(({ status }) => status !== 'not translated');
      if (!isWhole || result.problems.length > 0) throw new CommandError('problems-found', '');
    });
}

const marks: Readonly<Record<ImportedRule['status'], string>> = {
  translated: pc.green('translated'),
  'translated with a difference': pc.yellow('translated with a difference'),
  'not translated': pc.red('not translated'),
};

function reportLines(rules: readonly ImportedRule[], problems: readonly string[]): string[] {
  const lines = rules.flatMap(({ title, file, status, differences, notes, reason, rule }) => [
    `${escapeControls(title)} (${escapeControls(file)})${rule === null ? '' : ` → ${rule.name}`}: ${marks[status]}`,
    ...[reason, ...differences].filter((text) => text !== '').map((text) => `  ${escapeControls(text)}`),
    ...notes.map((text) => pc.dim(`  note: ${escapeControls(text)}`)),
  ]);
  const statuses = Object.keys(marks) as ImportedRule['status'][];
  const counts = statuses.map(
    (status) => `${rules.filter((rule) => rule.status === status).length} ${status}`,
  );
  return [...lines, ...problems.map((text) => pc.red(escapeControls(text))), counts.join(', ')];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError('command-failed', `${file}: ${(error as Error).message}`);
  }
}
