import type { SettingInForce } from '@logloom/settings';
import type { Command } from 'commander';
import { allSettings } from '../settings.ts';
import type { CommandContext } from './command-context.ts';

/** Adds `logloom config`: the settings in force, and where they came from. */
export function addConfigCommand(program: Command, { env, write }: CommandContext): void {
  program
    .command('config')
    .description('print the settings in force and where each came from; secrets are hidden')
    .option('--json', 'as JSON')
    .option('--given', 'only settings that differ from their default')
    .action(({ json = false, given = false }: { json?: boolean; given?: boolean }) => {
      const all = allSettings.inForce(env);
      const shown = given ? all.filter(({ origin }) => origin !== 'default') : all;
      if (json) write(JSON.stringify({ settings: shown }, null, 2));
      else for (const line of lines(shown)) write(line);
    });
}

function lines(settings: readonly SettingInForce[]): string[] {
  const width = Math.max(0, ...settings.map(({ name }) => name.length));
  return settings.map(({ name, value = '(unset)', origin, file }) => {
    const from = file === undefined ? origin : `${origin} ${file}`;
    return `${name.padEnd(width)}  ${value === '' ? '(empty)' : value}  (${from})`;
  });
}
