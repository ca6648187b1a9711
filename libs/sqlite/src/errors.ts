import { declareErrors } from '@logloom/errors';

/** Why a file of the embedded store cannot be written. */
export const storageErrors = declareErrors({
  'disk-full': {
    status: 503,
    retriable: true,
    message: 'the disk is full: nothing can be stored until there is room',
    where: 'HTTP, live error, log, start',
    cause:
      'A file of the embedded store cannot grow: its disk is full. The message names the file. Everything continues by itself once there is room; until then `/health/ready` returns 503.',
    action: 'Retry. Operators: make room under `LOGLOOM_DATA`, or set a retention (`docs/limits.md`).',
  },
  'read-only': {
    status: 503,
    retriable: true,
    message: 'the data folder cannot be written',
    where: 'HTTP, live error, log, start',
    cause:
      'A file or folder of the embedded store cannot be written: it is mounted read-only, or this user may not write it. The message names it.',
    action: 'Operators: make `LOGLOOM_DATA` writable.',
  },
});
