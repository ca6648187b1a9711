/** The errors of the correlator: whether the same start may succeed later. */
export const errors = {
  'newer-algorithm': {
    retriable: false,
    meaning: 'the log was correlated by a newer release, whose algorithm this one does not know',
  },
} as const;

export type CorrelatorErrorCode = keyof typeof errors;

export class CorrelatorError extends Error {
  readonly code: CorrelatorErrorCode;
  constructor(code: CorrelatorErrorCode, message: string) {
    super(message);
    this.name = 'CorrelatorError';
    this.code = code;
  }
}
