/** How a deploy ended, and the exit code that says so. */
export const exitCodes = {
  /** The new release serves, the old one has ended. */
  deployed: 0,
  /** The new release serves, but not all is well: an operator has to look. */
  unfinished: 1,
  /** Wrong arguments, a wrong file, or a state that does not allow it: nothing was changed. */
  refused: 2,
  /** The old release serves as before. */
  'rolled-back': 3,
  /** The way back failed: an operator has to look at once. */
  'rollback-failed': 4,
} as const;

export type Outcome = keyof typeof exitCodes;

/** The deploy cannot begin. */
export class RefusedError extends Error {}
