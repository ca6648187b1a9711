import { escapeControls } from '@logloom/telemetry/escape-controls';
import { InvalidArgumentError, type Command } from 'commander';
import { resolve } from 'node:path';
import { CommandError } from './command-errors.ts';
import { version } from '../version.ts';
import type { CommandContext } from './command-context.ts';

interface BackupFlags {
  rate: number;
  json: boolean;
}

interface RestoreFlags {
  to?: string;
  force: boolean;
  json: boolean;
}

const mebibyte = 2 ** 20;
const defaultRate = 64;

/** Adds `logloom backup` and `logloom restore`. */
export function addBackupCommands(program: Command, context: CommandContext): void {
  const { settings, json, signal, write, note } = context;

  program
    .command('backup')
    .description('copy the embedded data folder LOGLOOM_DATA to a new folder, also while Logloom runs on it')
    .argument('<folder>', 'new or empty folder outside LOGLOOM_DATA')
    .option('--rate <MiB>', 'MiB per second to copy at the most', positive, defaultRate)
    .addOption(json)
    .addHelpText(
      'after',
      '\nRun it as the user that runs Logloom, on the same machine. Events that were acknowledged before it began are in the backup.',
    )
    .action(async (folder: string, { rate, json: asJson }: BackupFlags) => {
      const given = settings();
      const { BackupError } = await import('../backup/errors.ts');
      if (given.KAFKA_BROKERS !== undefined)
        throw explained(
          new BackupError('backup-no-data', 'KAFKA_BROKERS is set: the log is on brokers (docs/backup.md)'),
        );
      const { createBackup } = await import('../backup/create-backup.ts');
      const options = { dataFolder: given.LOGLOOM_DATA, folder, rate: rate * mebibyte, version };
      const onProgress = asJson ? () => {} : progress(note);
      const manifest = await explainedBy(() => createBackup({ ...options, onProgress }, signal));
      const { files, startedAt, completedAt, log } = manifest;
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      const result = {
        folder: resolve(folder),
        version,
        startedAt,
        completedAt,
        log,
        files: files.length,
        bytes,
      };
      if (asJson) write(JSON.stringify(result));
      else
        write(
          `${result.folder} is complete: ${files.length} files, ${Math.ceil(bytes / mebibyte)} MiB, all events up to ${startedAt}`,
        );
    });

  program
    .command('restore')
    .description('make a data folder from a backup; each file is compared with its checksum')
    .argument('<folder>', 'the backup')
    .option('--to <folder>', 'the data folder (default: LOGLOOM_DATA)')
    .option('--force', 'move what is in the data folder aside, to before-restore-… in it', false)
    .addOption(json)
    .action(async (folder: string, { to, force, json: asJson }: RestoreFlags) => {
      const dataFolder = to ?? settings().LOGLOOM_DATA;
      const { restoreBackup } = await import('../backup/restore-backup.ts');
      const { manifest, movedTo } = await explainedBy(() =>
        restoreBackup({ folder, dataFolder, force, version }, signal),
      );
      const { startedAt, files } = manifest;
      const result = {
        dataFolder: resolve(dataFolder),
        startedAt,
        version: manifest.version,
        files: files.length,
      };
      if (asJson) write(JSON.stringify({ ...result, ...(movedTo === undefined ? {} : { movedTo }) }));
      else {
        write(`${result.dataFolder} holds the backup of ${startedAt}; what was ingested since is not in it`);
        if (movedTo !== undefined) write(`what was there before is in ${movedTo}`);
      }
    });
}

/** Runs the work; what it throws has its code in the message. */
async function explainedBy<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if ((error as Error).name === 'AbortError')
    return new CommandError('interrupted', 'it was interrupted: nothing is left of it');
  const { code, message } = error as { code?: string; message: string };
  return code === undefined
    ? error
    : new CommandError('command-failed', `${escapeControls(message)} (${code})`);
}

/** Says how far it is, at most once a second. */
function progress(note: (line: string) => void): (done: number, all: number) => void {
  let last = Date.now();
  return (done, all) => {
    if (Date.now() - last < 1000) return;
    last = Date.now();
    note(`${Math.floor(done / mebibyte)} of ${Math.ceil(all / mebibyte)} MiB`);
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number above 0');
  return value;
}
