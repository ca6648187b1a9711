import { CodedError } from '@logloom/errors';
import { authErrors } from './errors.ts';

/** The keys could not be fetched or read (`auth-unavailable`); this says nothing about the token. */
export class KeysUnavailable extends CodedError<'auth-unavailable'> {
  constructor(message: string, options: ErrorOptions) {
    super(authErrors, 'auth-unavailable', message, options);
  }
}
