import { CodedError, declareErrors, type CodeOf } from '@logloom/errors';

/** What keeps a backup from being made or restored, and a data folder from being used. */
export const backupErrors = declareErrors({
  'backup-folder': {
    retriable: false,
    message: 'the backup cannot be made in this folder',
    where: '`logloom backup`',
    cause: 'The folder of the backup is not empty, or it is inside the data folder.',
    action: 'Name a new folder, outside `LOGLOOM_DATA`.',
  },
  'backup-no-room': {
    retriable: true,
    message: 'there is no room for the backup',
    where: '`logloom backup`, `logloom restore`',
    cause: 'The disk has less room than the files of the backup need. Nothing was written.',
    action: 'Make room, or use another disk.',
  },
  'backup-no-data': {
    retriable: false,
    message: 'there is no embedded log to back up',
    where: '`logloom backup`',
    cause: '`LOGLOOM_DATA` holds no log, or the log is on Kafka (`KAFKA_BROKERS`).',
    action: 'Check `LOGLOOM_DATA`. The engines are backed up with their own tools (`docs/backup.md`).',
  },
  'backup-incomplete': {
    retriable: false,
    message: 'this is not a complete backup',
    where: '`logloom restore`, `logloom verify`',
    cause:
      'The folder has no `backup.json`, which is written last: the backup was interrupted, still runs, or is somewhere else. Or a file of it is missing.',
    action: 'Use another backup.',
  },
  'backup-damaged': {
    retriable: false,
    message: 'the backup is damaged',
    where: '`logloom restore`',
    cause:
      'A file of the backup does not have the size or the SHA-256 checksum that it had. The message names it.',
    action: 'Use another backup, or another copy of this one. Nothing was restored.',
  },
  'backup-too-new': {
    retriable: false,
    message: 'the backup was made by a newer version',
    where: '`logloom restore`',
    cause: 'The backup was made by a newer version of Logloom, whose data this version may not know.',
    action: 'Restore it with that version, or a newer one.',
  },
  'data-not-empty': {
    retriable: false,
    message: 'the data folder is not empty',
    where: '`logloom restore`',
    cause: 'The folder to restore into holds something.',
    action: 'Name another folder with `--to`, or move what is there aside with `--force`.',
  },
  'data-not-restored': {
    retriable: false,
    message: 'the data folder cannot be used before a restore',
    where: 'start',
    cause:
      '`LOGLOOM_DATA` is a backup, or a folder into which a restore was interrupted. Used as it is, new events could get ids that were given out before.',
    action:
      'Restore the backup into another folder with `logloom restore`; repeat an interrupted restore with `--force`.',
  },
});

export type BackupErrorCode = CodeOf<typeof backupErrors>;

export class BackupError extends CodedError<BackupErrorCode> {
  constructor(code: BackupErrorCode, message?: string, options: ErrorOptions = {}) {
    super(backupErrors, code, message, options);
  }
}
