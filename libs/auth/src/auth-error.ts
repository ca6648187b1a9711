import { messageOf, type CodeOf } from '@logloom/errors';
import { authErrors } from './errors.ts';

export type AuthErrorCode = CodeOf<typeof authErrors>;

export interface AuthError {
  code: AuthErrorCode;
  message: string;
}

export function authError(code: AuthErrorCode, message: string = messageOf(authErrors[code])): AuthError {
  return { code, message };
}
