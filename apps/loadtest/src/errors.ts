import { CodedError, declareErrors, type CodeOf } from '@logloom/errors';

export const loadtestErrors = declareErrors({
  'bad-scenario': {
    retriable: false,
    message: 'the scenario cannot be run',
    where: 'command line, exit code 2',
    cause:
      'A scenario of `logloom loadtest` cannot be read, or asks for what cannot be done; the message lists every problem.',
    action: 'Fix what the message names; `logloom loadtest check FILE` looks at it without running it.',
  },
  'fault-not-allowed': {
    retriable: false,
    message: 'the scenario runs commands, which was not allowed',
    where: 'command line, exit code 2',
    cause: 'A fault of the scenario runs a command, and the command line neither allows nor names it.',
    action:
      'Read the command in the scenario; if you trust it, pass `--allow-commands`. A command that the scenario only names is passed as `--command NAME=COMMAND`.',
  },
  'fault-refused': {
    retriable: false,
    message: 'the fault would harm more than the run',
    where: 'command line, exit code 2',
    cause:
      'A fault of the scenario is meant for something that others use: a file system that is large or shared, a network device with rules of its own, the process that runs the load test.',
    action: 'Give the fault something of its own, as the message says.',
  },
  'fault-unavailable': {
    retriable: false,
    message: 'the fault cannot be made here',
    where: 'command line, exit code 2',
    cause:
      'A fault of the scenario needs what is not here: a process that is not found, `tc` and root, a target without TLS.',
    action: 'Do what the message says, or leave the fault out.',
  },
  'target-unavailable': {
    retriable: true,
    message: 'the target does not respond',
    where: 'command line, exit code 2',
    cause: 'The load test could not connect a single viewer, or send a single event.',
    action: 'Start the target, or name its address: `--url`, `--ingest-url`.',
  },
});

/** Why a load test could not begin or go on. */
export class LoadtestError extends CodedError<CodeOf<typeof loadtestErrors>> {
  constructor(code: CodeOf<typeof loadtestErrors>, message?: string, options: ErrorOptions = {}) {
    super(loadtestErrors, code, message, options);
  }
}
