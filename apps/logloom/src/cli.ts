import { Command } from 'commander';
import { addAggregateCommand } from './commands/aggregate-cli.ts';
import { addAlertsCommands } from './commands/alerts-cli.ts';
import { addBackupCommands } from './commands/backup-cli.ts';
import { addCanaryCommand } from './commands/canary-cli.ts';
import { createCommandContext, type CliContext } from './commands/command-context.ts';
import { addConfigCommand } from './commands/config-cli.ts';
import { addDemoCommand } from './commands/demo-cli.ts';
import { addDrainCommand } from './commands/drain-cli.ts';
import { addFormatsCommands } from './commands/formats-cli.ts';
import { addExportCommand } from './commands/export-cli.ts';
import { addJobCommands } from './commands/jobs-cli.ts';
import { addLoadtestCommand } from './commands/loadtest-cli.ts';
import { addLookCommands } from './commands/look-cli.ts';
import { addReceiversCommands } from './commands/receivers-cli.ts';
import { addReplayCommands } from './commands/replay-cli.ts';
import { addRequestsCommand } from './commands/requests-cli.ts';
import { addRulesCommands } from './commands/rules-cli.ts';
import { addSearchCommand } from './commands/search-cli.ts';
import { addSendCommand } from './commands/send-cli.ts';
import { settingsHelp } from './commands/settings-help.ts';
import { addSilencesCommands } from './commands/silences-cli.ts';
import { addSqlCommand } from './commands/sql-cli.ts';
import { addTailCommand } from './commands/tail-cli.ts';
import { addUpCommand } from './commands/up-cli.ts';
import { addViewersCommand } from './commands/viewers-cli.ts';
import { version } from './version.ts';

export { explain } from './commands/explain-error.ts';

const exitCodes = `
Exit codes: 0 success; 1 nothing was found, or lines were rejected; 2 the command failed.`;

/** In the order of the help. */
const commands = [
  addUpCommand,
  addSendCommand,
  addFormatsCommands,
  addDemoCommand,
  addTailCommand,
  addSearchCommand,
  addAggregateCommand,
  addExportCommand,
  addSqlCommand,
  addLookCommands,
  addRequestsCommand,
  addLoadtestCommand,
  addViewersCommand,
  addDrainCommand,
  addCanaryCommand,
  addReplayCommands,
  addConfigCommand,
  addBackupCommands,
  addRulesCommands,
  addAlertsCommands,
  addSilencesCommands,
  addReceiversCommands,
  addJobCommands,
];

/**
 * The command line. Each command's action throws CommandError or SettingsError for problems that a user can fix, and loads only the code
 * that it needs.
 */
export function createCli(surroundings: CliContext): Command {
  const program = new Command('logloom')
    .description('Live, correlated log events: ingest, group by request, search, archive and watch.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', exitCodes + settingsHelp())
    .configureHelp({ showGlobalOptions: true })
    // Options after a subcommand's name are its own: `loadtest` and `loadtest run` have some of the same names.
    .enablePositionalOptions()
    // Each command inherits it: a wrong option exits with 2, not with the 1 of "nothing found".
    .exitOverride();
  const context = createCommandContext(surroundings);
  for (const add of commands) add(program, context);
  return program;
}
