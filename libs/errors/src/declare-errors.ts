/**
 * What a code means, to the program that receives it and to the person who looks it up. docs/errors.md is generated from these
 * declarations.
 */
export interface ErrorDeclaration {
  /** The HTTP status of a response with this code; absent if the code is never a response. */
  readonly status?: number;
  /** Whether the same input may succeed later without being changed. */
  readonly retriable: boolean;
  /** The message: a text, or a function of the error's details. A caller that knows more passes its own text. */
  readonly message: string | ((details: never) => string);
  /** Where the code appears, in the terms of docs/errors.md. `HTTP` in it stands for the response with `status`. */
  readonly where: string;
  /** What happened; Markdown. */
  readonly cause: string;
  /** What to do about it; Markdown. */
  readonly action: string;
}

export type Catalogue = Readonly<Record<string, ErrorDeclaration>>;
export type CodeOf<C extends Catalogue> = keyof C & string;
/** The argument of the function that builds a code's message; `never` where the message is a text. */
export type DetailsOf<C extends Catalogue, Code extends CodeOf<C>> = C[Code]['message'] extends (
  details: infer Details,
) => string
  ? Details
  : never;

/**
 * Declares the codes of one owner. Each code is declared once in the whole product; other services that respond with it import the
 * declaration. Throws TypeError for a declaration that contradicts itself.
 */
export function declareErrors<const C extends Catalogue>(catalogue: C): C {
  for (const [code, { status, where, cause, action }] of Object.entries<ErrorDeclaration>(catalogue)) {
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(code)) throw new TypeError(`${code} is not in kebab-case`);
    if (status !== undefined && (status < 400 || status > 599))
      throw new TypeError(`${code}: ${status} is not an HTTP status of an error`);
    if (/\bHTTP\b/.test(where) && status === undefined)
      throw new TypeError(`${code} is an HTTP response without a status`);
    for (const text of [where, cause, action])
      if (text.trim() === '' || /[|\n]/.test(text))
        throw new TypeError(`${code} has a text that does not fit into a table cell`);
  }
  return catalogue;
}

/** The message of a code; `details` is what its declaration's function takes. */
export function messageOf({ message }: ErrorDeclaration, details: object = {}): string {
  return typeof message === 'string' ? message : message(details as never);
}

/** The HTTP status of a response with this code; 500 for a code that is not meant to be one. */
export function statusOf({ status = 500 }: ErrorDeclaration): number {
  return status;
}

/** Some declarations of another owner, for a service that responds with them too. */
export function pickErrors<C extends Catalogue, Code extends CodeOf<C>>(
  catalogue: C,
  ...codes: readonly Code[]
): Pick<C, Code> {
  return Object.fromEntries(codes.map((code) => [code, catalogue[code]])) as unknown as Pick<C, Code>;
}
