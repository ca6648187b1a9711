import { declareErrors } from '@logloom/errors';

/** Why a file of the embedded store cannot be written. */
export const storageErrors = declareErrors({
  'disk-full': {
    status: 503,
    retriable: true,
    message: 'the disk is full: nothing can be stored until there is room',
    where: 'HTTP, live error, log, start',
    cause:
      'A file of the embedded store cannot grow: its disk is full. The message names the file. Everything goes on by itself when there is room; readiness is 503 meanwhile.',
    action: 'Repeat. As an operator make room under `LOGLOOM_DATA`, or set a retention (`docs/limits.md`).',
  },
  'read-only': {
    status: 503,
    retriable: true,
    message: 'the data folder cannot be written',
    where: 'HTTP, live error, log, start',
    cause:
      "A file or folder of the embedded store cannot be written: mounted read-only, or not this user's. The message names it.",
    action: 'As an operator make `LOGLOOM_DATA` writable.',
  },
});
