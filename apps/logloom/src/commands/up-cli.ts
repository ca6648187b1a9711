import type { Command } from 'commander';
import { colors as pc } from '../output/colors.ts';
import type { CommandContext } from './command-context.ts';
import { settingsHelp } from './settings-help.ts';

/** Adds `logloom up`. */
export function addUpCommand(program: Command, { env, settings, signal, write }: CommandContext): void {
  program
    .command('up')
    .description('run the whole pipeline in this process')
    .addHelpText('after', settingsHelp())
    .action(async () => {
      const { up } = await import('../up/up.ts');
      await up(settings(), env, signal, ({ ingest, syslog, viewers, dataFolder }) => {
        write(`${pc.bold('Logloom')} is ready.`);
        write(`  watch   ${pc.cyan(viewers)}`);
        write(`  send    ${pc.cyan(`${ingest}/ingest`)}   or: npm run logloom -- demo`);
        if (syslog !== undefined) write(`  syslog  ${pc.cyan(syslog)}   TCP and UDP`);
        write(`  data    ${dataFolder}   (Ctrl-C stops; start again and everything is still there)`);
      });
    });
}
