import { declareReasons } from '@logloom/errors';

/** What the processes exit with. */
export const exitCodes = declareReasons({
  0: {
    retriable: false,
    where: '`logloom`, services',
    cause: 'It worked; a service has drained.',
    action: 'Nothing.',
  },
  1: {
    retriable: true,
    where: '`logloom`, services',
    cause:
      '`logloom`: nothing was found (also no request under an id), lines were rejected, or what was checked is not as it should be. A service: it failed.',
    action: 'Standard error says which. A supervisor starts the service again: it goes on where it was.',
  },
  2: {
    retriable: false,
    where: '`logloom`, services',
    cause:
      '`logloom`: it could not be done (wrong settings, an unknown command or option, no answer, a refused request). A service: wrong settings.',
    action: 'Fix what standard error lists; a restart alone does not help against wrong settings.',
  },
  130: {
    retriable: true,
    where: '`logloom up`',
    cause: 'A second Ctrl-C or SIGTERM cut the drain. What was acknowledged is on the disk.',
    action: 'Nothing.',
  },
});
