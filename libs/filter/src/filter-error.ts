/** Why a text is not a filter. Thrown inside this lib only; parseFilter turns it into its result. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  /** Offset in the text, in UTF-16 units, from 0. */
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}
