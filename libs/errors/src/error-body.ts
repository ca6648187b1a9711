/** The body of every 4xx and 5xx response, apart from protocols that have a shape of their own. */
export interface ErrorBody {
  error: { code: string; message: string; [member: string]: unknown };
}

/** The body of a response; `details` are members beside code and message. */
export function errorBody({
  code,
  message,
  details = {},
}: {
  code: string;
  message: string;
  details?: object;
}): ErrorBody {
  return { error: { code, message, ...details } };
}
