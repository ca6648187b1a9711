/** The meaning of a protocol value that is not an error code: a reason, a close code, an exit code. */
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
