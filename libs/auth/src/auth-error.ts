/** Why a request is not let in: HTTP status, whether the same request may succeed later, and the reason in general. */
export const authErrors = {
  unauthorized: { status: 401, retriable: false, message: 'a valid token is needed' },
  'token-expired': {
    status: 401,
    retriable: false,
    message: 'the token has expired; come back with a new one',
  },
  forbidden: { status: 403, retriable: false, message: 'the token does not allow this' },
  'auth-unavailable': {
    status: 503,
    retriable: true,
    message: 'the keys that tokens are checked with cannot be fetched',
  },
} as const satisfies Record<string, { status: number; retriable: boolean; message: string }>;

export type AuthErrorCode = keyof typeof authErrors;

export interface AuthError {
  code: AuthErrorCode;
  message: string;
}

export function authError(code: AuthErrorCode, message: string = authErrors[code].message): AuthError {
  return { code, message };
}
