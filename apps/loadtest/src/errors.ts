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
