// @ts-check
/** A batch that was not accepted but may be accepted later. `code` says why, `retryAfterMs` when the server asked for a time. */
export class SendError extends Error {
  /** @param {string} code @param {string} message @param {{ retryAfterMs?: number, cause?: unknown }} [details] */
  constructor(code, message, { retryAfterMs, cause } = {}) {
    super(message, { cause });
    this.name = 'SendError';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}
