// @ts-check
/** A subscription that the server refused: `code` is one of Logloom's, `position` a place in the filter, in UTF-16 units. */
export class LiveError extends Error {
  /** @param {import('./protocol.js').Refusal} refusal */
  constructor({ code, message, position }) {
    super(message);
    this.name = 'LiveError';
    this.code = code;
    this.position = position;
  }
}
