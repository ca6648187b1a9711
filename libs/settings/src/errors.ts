import { declareErrors } from '@logloom/errors';

/** What stops a start because of the settings. */
export const settingsErrors = declareErrors({
  'bad-settings': {
    retriable: false,
    message: 'the settings are wrong',
    where: 'start',
    cause: 'One or more settings are wrong; all are listed.',
    action:
      'Fix them; `npm run logloom -- up --help` explains each, and `logloom config` prints what is in force.',
  },
});
