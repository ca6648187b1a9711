import { declareReasons } from '@logloom/errors';

/** The exit codes of the processes. */
export const exitCodes = declareReasons({
  0: {
    retriable: false,
    where: '`logloom`, services',
    cause: 'It succeeded. A service: it has drained.',
    action: 'Nothing.',
  },
  1: {
    retriable: true,
    where: '`logloom`, services',
    cause:
      '`logloom`: nothing was found (for example no request with the id), lines were rejected, or a check found a problem. A service: it failed.',
    action: 'Standard error says which. Let a supervisor restart the service: it continues where it stopped.',
  },
  2: {
    retriable: false,
    where: '`logloom`, services',
    cause:
      '`logloom`: the command failed (wrong settings, an unknown command or option, no response, a refused request). A service: wrong settings.',
    action: 'Fix what standard error lists. A restart does not help against wrong settings.',
  },
  130: {
    retriable: true,
    where: '`logloom up`',
    cause: 'A second Ctrl-C or SIGTERM interrupted the drain. What was acknowledged is on disk.',
    action: 'Nothing.',
  },
});
