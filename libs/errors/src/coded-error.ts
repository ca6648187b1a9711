import { messageOf, statusOf, type Catalogue } from './declare-errors.ts';

export interface CodedErrorOptions extends ErrorOptions {
  /** Members that the response has beside code and message, such as the position in a filter. */
  details?: object;
}

/** The base class of all errors with a code: a service or lib derives one class and passes its catalogue. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  /** The HTTP status of a response with this code; 500 where its declaration has none. */
  readonly status: number;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  /** Members that the response has beside code and message. */
  readonly details: object;

  /** `message` replaces the declared one; without it, the declared one is made from `options.details`. */
  constructor(
    catalogue: Catalogue,
    code: Code,
    message?: string,
    { details = {}, ...options }: CodedErrorOptions = {},
  ) {
    const declaration = catalogue[code];
    if (declaration === undefined) throw new TypeError(`the code ${code} is not declared`);
    super(message ?? messageOf(declaration, details), options);
    this.name = new.target.name;
    this.code = code;
    this.status = statusOf(declaration);
    this.retriable = declaration.retriable;
    this.details = details;
  }
}
