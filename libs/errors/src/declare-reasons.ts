/** What a value means that a protocol shows without being an error of its own: a reason, a close code, an exit code. */
export interface ReasonDeclaration {
  readonly retriable: boolean;
  /** Where it appears, in the terms of docs/errors.md. */
  readonly where: string;
  readonly cause: string;
  readonly action: string;
}

/** Declares the reasons of one kind. */
export function declareReasons<const R extends Readonly<Record<string, ReasonDeclaration>>>(reasons: R): R {
  return reasons;
}
