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
      'Repeat. As an operator look at `MONGODB_URL` or the disk; the indexer tries again until it works, and loses nothing.',
  },
});
