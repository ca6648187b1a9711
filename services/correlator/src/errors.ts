import { CodedError, declareErrors, type CodeOf } from '@logloom/errors';

/** The errors that stop the correlator. */
export const correlatorErrors = declareErrors({
  'newer-algorithm': {
    retriable: false,
    message: 'the log was correlated by a newer release, whose algorithm this one does not know',
    where: 'start, log',
    cause:
      '`logs.events` was correlated by a newer release, whose algorithm this one does not know; the message names the record. Nothing was written.',
    action: 'Run the newer release: you cannot downgrade below its algorithm.',
  },
});

export type CorrelatorErrorCode = CodeOf<typeof correlatorErrors>;

export class CorrelatorError extends CodedError<CorrelatorErrorCode> {
  constructor(code: CorrelatorErrorCode, message?: string) {
    super(correlatorErrors, code, message);
  }
}
