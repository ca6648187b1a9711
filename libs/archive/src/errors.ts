import { declareErrors } from '@logloom/errors';

/** What can go wrong with the archive. */
export const archiveErrors = declareErrors({
  'archive-unavailable': {
    status: 503,
    retriable: true,
    message: 'the archive cannot be reached',
    where: 'HTTP, log',
    cause: 'MongoDB or the embedded archive cannot be reached or opened.',
    action:
      'Retry. Operators: check `MONGODB_URL` or the disk; the indexer retries until it works, and loses nothing.',
  },
});
