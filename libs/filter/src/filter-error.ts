import { CodedError } from '@logloom/errors';
import { filterErrors } from './errors.ts';

/** Why a text is not a filter: `bad-filter`. Thrown inside this lib only; parseFilter turns it into its result. */
export class FilterError extends CodedError<'bad-filter'> {
  /** Offset in the text, in UTF-16 units, from 0. */
  readonly position: number;

  constructor(message: string, position: number) {
    super(filterErrors, 'bad-filter', message, { details: { position } });
    this.position = position;
  }
}
