import { declareErrors } from '@logloom/errors';

/** What can be wrong with a receivers file. */
export const receiversErrors = declareErrors({
  'bad-receivers-yaml': {
    retriable: false,
    message: 'the file is not YAML',
    where: 'receivers file',
    cause: 'The receivers file is not YAML.',
    action: 'Fix the line that is named; `logloom receivers check` shows all problems.',
  },
  'bad-receiver': {
    retriable: false,
    message: 'the receiver is invalid',
    where: 'receivers file',
    cause: 'A receiver has an unknown or missing part, a wrong value, or not exactly one kind.',
    action: 'Fix it; docs/receivers.md has an example of each kind.',
  },
  'bad-route': {
    retriable: false,
    message: 'the route is invalid',
    where: 'receivers file',
    cause:
      'A route has an unknown part, a wrong matcher or time, or names a receiver that the file does not have.',
    action: 'Fix it; docs/receivers.md describes routes.',
  },
  'missing-secret': {
    retriable: false,
    message: 'a variable that the receivers file names is not set',
    where: 'receivers file',
    cause:
      'The file says `${NAME}`, and neither `NAME` nor `NAME_FILE` is set, or the file that `NAME_FILE` names cannot be read.',
    action: 'Set one of them for the process that sends notifications: the indexer, or `logloom up`.',
  },
  'bad-template': {
    retriable: false,
    message: 'the template cannot be parsed',
    where: 'receivers file',
    cause: 'The `body` of a webhook is not a valid template of the Liquid language.',
    action: 'Fix it; docs/receivers.md lists what a template can use.',
  },
  'unreadable-receivers': {
    retriable: false,
    message: 'the receivers file cannot be read',
    where: 'receivers file',
    cause: 'The file cannot be read, or is larger than 1 MiB.',
    action: 'Check its path and permissions.',
  },
});
